"""Growth of memory in kilobytes and page faults per step after warm-up, at notebook with 32 rows and in epochs."""

import json
import resource

import common
import numpy as np

step, batches = common.pynet_step("notebook", 32)
X, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
order = np.arange(len(X))


def run(steps: int) -> None:
    """Run steps one by one, and the like in epochs."""
    for i in range(steps):
        step(*batches[i % 8])
    for _ in range(steps // 80):
        step.epoch(X, y, order, 30)


def usage() -> tuple[int, int]:
    """Return peak memory in KB and page faults so far."""
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_maxrss, found.ru_minflt


run(500)
memory, faults = usage()
STEPS = 2000 if common.QUICK else 20000
run(STEPS)
after, more = usage()
print(json.dumps({"steps": STEPS, "growth_kb": after - memory, "faults_per_step": (more - faults) / STEPS}))
