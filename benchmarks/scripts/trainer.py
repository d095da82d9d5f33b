"""Microseconds per batch that Trainer.fit takes beyond the bare step, at tiny with 32 rows."""

import json
import statistics
import time

import common
import numpy as np

import pynet

step, batches = common.pynet_step("tiny", 32)
X, y = (np.concatenate(parts) for parts in zip(*batches * 100, strict=True))
trainer = pynet.Trainer(step.model, step.criterion, step.optimizer)
bare, fit = [], []
for _ in range(5 if common.QUICK else 15):
    start = time.perf_counter()
    for _ in range(10):
        for pair in batches * 10:
            step(*pair)
    bare.append((time.perf_counter() - start) / 800)
    start = time.perf_counter()
    trainer.fit(X, y, epochs=5, batch_size=32)
    fit.append((time.perf_counter() - start) / (5 * 800))
print(json.dumps({"bare_us": statistics.median(bare) * 1e6, "fit_us": statistics.median(fit) * 1e6}))
