"""Ctrl-C in a compiled epoch: it ends between two steps, soon, with the parameters of a whole number of them."""

import json

import pytest
from child import output_of

# Sends itself the signal at some moment, from a process of its own, and says how long it then took.
INTERRUPT = """
import json, os, signal, sys, time
import numpy as np, pynet

way, times = sys.argv[1], int(sys.argv[2])
random = np.random.default_rng(0)
x, y = random.normal(size=(20_000, 64)), random.integers(0, 10, 20_000)
model = pynet.Sequential(pynet.Linear(64, 128, seed=0), pynet.ReLU(), pynet.Linear(128, 10, seed=1))
optimizer = pynet.optim.SGD(model, 1e-6)
step = pynet.compile_step(model, pynet.CrossEntropyLoss(), optimizer)
order = np.arange(20_000)
step.epoch(x[:100], y[:100])
rows = np.tile(order, 100)  # many seconds of work
seconds = []
for number in range(times):
    reader, writer = os.pipe()
    try:
        child = os.fork()
        if child == 0:
            time.sleep(0.1 + 0.013 * (number % 20))
            os.write(writer, repr(time.monotonic()).encode())
            os.kill(os.getppid(), signal.SIGINT)
            os._exit(0)
        step.epoch(x, y, rows, 64 if way == "small" else 4000)
    except KeyboardInterrupt:
        ended = time.monotonic()
        seconds.append(ended - float(os.read(reader, 100)))
    os.waitpid(child, 0)
    os.close(reader), os.close(writer)
assert all(np.isfinite(array).all() for array in model.parameters())
loss = step(x[:50], y[:50])  # and goes on
print(json.dumps({"seconds": seconds, "goes_on": bool(np.isfinite(loss))}))
"""


def interrupted(way, times):
    result = json.loads(output_of(INTERRUPT, way, times, timeout=120))
    assert result["goes_on"]
    return result["seconds"]


@pytest.mark.parametrize("way", ["small", "large"])
def test_ctrl_c_ends_an_epoch_within_a_second(way):
    seconds = interrupted(way, 5)
    assert len(seconds) == 5
    assert max(seconds) < 1


@pytest.mark.thorough
@pytest.mark.parametrize("way", ["small", "large"])
def test_ctrl_c_ends_an_epoch_within_a_fifth_of_a_second_every_time(way):
    seconds = interrupted(way, 20)
    assert len(seconds) == 20
    assert max(seconds) <= 0.2


def test_an_interrupted_epoch_leaves_what_whole_steps_have_made():
    """The same number of steps, done one by one, gives the same weights."""
    code = """
        import copy, signal, threading
        import numpy as np, pynet
        random = np.random.default_rng(0)
        x, y = random.normal(size=(1000, 20)), random.integers(0, 3, 1000)
        model = pynet.Sequential(pynet.Linear(20, 16, seed=0), pynet.Tanh(), pynet.Linear(16, 3, seed=1))
        twin = copy.deepcopy(model)
        make = lambda m: pynet.compile_step(m, pynet.CrossEntropyLoss(), pynet.optim.Adam(m, 1e-3))
        step, other = make(model), make(twin)
        losses, done = np.zeros(10**5), 0
        ends, rows = np.arange(50, 50 * 10**5 + 1, 50), np.tile(np.arange(1000), 5_000)
        threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
        try:
            step.run(x, y, rows, ends, losses)
        except KeyboardInterrupt:
            done = int(np.count_nonzero(losses))
        for number in range(done):
            first = 50 * number % 1000
            assert other(x[first:first + 50], y[first:first + 50]) == losses[number]
        same = all(np.array_equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))
        print(0 < done < 10**5, same)
    """
    assert output_of(code) == "True True"
