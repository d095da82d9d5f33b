"""Microseconds of a step and a NumPy product in turn, against each by itself, at notebook with 32 rows."""

import json
import time

import common
import numpy as np

step, batches = common.pynet_step("notebook", 32)
a = np.random.default_rng(0).normal(size=(384, 384)).astype(np.float32)
b = a.copy()


def both(i: int) -> None:
    """Run a step and a product."""
    step(*batches[i % 8])
    a @ b


rounds = []
for _ in range(3 if common.QUICK else 9):
    time.sleep(0.3)  # until the threads of NumPy's BLAS have stopped to spin
    alone = common.seconds_per_call(lambda i: step(*batches[i % 8]), 200, 1)
    product = common.seconds_per_call(lambda i: a @ b, 200, 1)
    rounds.append((common.seconds_per_call(both, 200, 1) / (alone + product), alone, product))
ratio, alone, product = sorted(rounds)[len(rounds) // 2]
print(json.dumps({"ratio": ratio, "step_us": alone * 1e6, "product_us": product * 1e6}))
