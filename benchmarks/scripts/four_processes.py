"""Seconds of four trainings at once against the same four one after another, at notebook with 32 rows."""

import json
import subprocess
import sys
import time

import common

if sys.argv[1] == "work":
    step, batches = common.pynet_step("notebook", 32)
    step(*batches[0])
    print("ready", flush=True)
    sys.stdin.readline()
    for i in range(int(sys.argv[2])):
        step(*batches[i % 8])
    print("done", flush=True)
    raise SystemExit

STEPS = "1500" if common.QUICK else "4000"


def run(at_once: int) -> float:
    """Return the seconds of four workers, so many at once, without their starting up."""
    command = [sys.executable, __file__, "work", STEPS]
    workers = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True) for _ in range(4)]
    for worker in workers:
        worker.stdout.readline()
    start = time.perf_counter()
    for first in range(0, 4, at_once):
        for worker in workers[first : first + at_once]:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers[first : first + at_once]:
            worker.stdout.readline()
    took = time.perf_counter() - start
    for worker in workers:
        worker.communicate()
    return took


rounds = [(run(4), run(1)) for _ in range(1 if common.QUICK else 3)]
together, apart = sorted(rounds, key=lambda pair: pair[0] / pair[1])[len(rounds) // 2]
print(json.dumps({"at_once": together, "one_after_another": apart}))
