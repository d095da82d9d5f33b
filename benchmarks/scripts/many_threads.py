"""Microseconds of a step at tiny and notebook with 1 thread and with 64, on however few CPUs there are."""

import json
from functools import partial
from typing import Any

import common

import pynet


def one(step: Any, batches: Any, i: int) -> None:
    """Run a step."""
    step(*batches[i % 8])


found = {}
for model, batch, calls in (("tiny", 1, 2000), ("tiny", 32, 500), ("notebook", 32, 40)):
    step, batches = common.pynet_step(model, batch)
    times = {1: [], 64: []}
    for _ in range(3 if common.QUICK else 9):
        for threads in times:
            pynet.set_num_threads(threads)
            step(*batches[0])
            run = partial(one, step, batches)
            times[threads].append(common.seconds_per_call(run, calls, 1))
    found[f"{model} {batch}"] = {str(t): sorted(v)[len(v) // 2] * 1e6 for t, v in times.items()}
print(json.dumps(found))
