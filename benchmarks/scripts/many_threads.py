"""Microseconds of a step at tiny and notebook with 1 thread and with 64, on however few CPUs there are."""

import json

import common
import pynet

found = {}
for model, batch, calls in (("tiny", 1, 2000), ("tiny", 32, 500), ("notebook", 32, 40)):
    step, batches = common.pynet_step(model, batch)
    times = {1: [], 64: []}
    for _ in range(3 if common.QUICK else 9):
        for threads in times:
            pynet.set_num_threads(threads)
            step(*batches[0])
            times[threads].append(common.seconds_per_call(lambda i: step(*batches[i % 8]), calls, 1))
    found[f"{model} {batch}"] = {str(t): sorted(v)[len(v) // 2] * 1e6 for t, v in times.items()}
print(json.dumps(found))
