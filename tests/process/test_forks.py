"""Processes made from one that has computed: by fork, again and again and in one another, by spawn, by forkserver."""

import multiprocessing

import numpy as np
import pytest
from child import output_of

import pynet

FORK = """
import os, signal, sys, threading
import numpy as np, pynet

np.random.seed(0)
x, y = np.random.normal(size=(1000, 100)), np.arange(1000) % 5
layers = [pynet.Linear(100, 200, seed=1), pynet.BatchNorm(200), pynet.ReLU(), pynet.Linear(200, 5, seed=2)]
model = pynet.Sequential(*layers).eval()
criterion = pynet.CrossEntropyLoss()
step = pynet.compile_step(model, criterion, pynet.optim.SGD(model, 0.0))
predict = pynet.compile_predict(model)

def results():
    output = model.forward(x)
    grad = model.backward(x, criterion.backward(output, y))
    return output.tobytes() + grad.tobytes() + predict(x).tobytes() + repr(step(x, y)).encode()

expected = results()  # the pool has run

def in_child(then=lambda: 0):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os._exit(3 if results() != expected else then())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def nested(depth):
    return in_child(lambda: nested(depth - 1)) if depth else 0

times = int(sys.argv[2])
if sys.argv[1] == "after":
    print(*{in_child() for _ in range(times)}, results() == expected)
elif sys.argv[1] == "nested":
    print(*{nested(4) for _ in range(times)}, results() == expected)
elif sys.argv[1] == "at once":
    children = []
    for _ in range(times):
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            os._exit(3 if results() != expected else 0)
        children.append(child)
    print(*{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}, results() == expected)
else:  # while other threads are in the pool, in BLAS and in a compiled prediction
    stop = threading.Event()
    def compute():
        while not stop.is_set():
            predict(x)
            layers[0].forward(x)
    threads = [threading.Thread(target=compute) for _ in range(3)]
    for thread in threads:
        thread.start()
    codes = {in_child() for _ in range(times)}
    stop.set()
    for thread in threads:
        thread.join()
    print(*codes, results() == expected)
"""


@pytest.mark.parametrize(("way", "times"), [("after", 10), ("nested", 2), ("at once", 10), ("meanwhile", 10)])
def test_forked_processes_compute_the_same(way, times):
    assert output_of(FORK, way, times, PYNET_NUM_THREADS="3") == "0 True"


@pytest.mark.thorough
@pytest.mark.parametrize(("way", "times"), [("after", 100), ("nested", 20), ("at once", 100), ("meanwhile", 100)])
def test_a_hundred_forked_processes_compute_the_same(way, times):
    assert output_of(FORK, way, times, timeout=600, PYNET_NUM_THREADS="3") == "0 True"


def trained(seed):
    """For a process that knows nothing: the weights after some steps."""
    model = pynet.Sequential(pynet.Linear(30, 200, seed=seed), pynet.Tanh(), pynet.Linear(200, 3, seed=seed))
    step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.Adam(model, 0.01))
    x = np.random.default_rng(seed).normal(size=(400, 30))
    step.epoch(x, np.arange(400) % 3, np.arange(400), 100)
    return [array.tobytes() for array in model.parameters()]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pools_of_processes_train_to_the_same_bits(method):
    expected = [trained(seed) for seed in range(4)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        got = pool.map_async(trained, range(4)).get(timeout=100)
    assert got == expected


def test_models_travel_to_other_processes():
    model = pynet.Sequential(pynet.Linear(3, 2, seed=0), pynet.BatchNorm(2), pynet.Dropout(0.5, seed=1)).eval()
    x = np.ones((4, 3))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        got = pool.apply_async(model.forward, (x,)).get(timeout=100)
    np.testing.assert_array_equal(got, model.forward(x))


MODES = """
import os, threading, time
import numpy as np
import pynet

class Slow:
    def eval(self):
        inside.set()
        time.sleep(sleep)
    def forward(self, input):
        return input
    def backward(self, input, grad_output):
        return grad_output

inside, sleep = threading.Event(), 1.0
model = pynet.Sequential(pynet.Linear(3, 2), Slow())
trainer = pynet.Trainer(model, pynet.MSELoss(), pynet.optim.SGD(model))
thread = threading.Thread(target=trainer.predict, args=(np.ones((2, 3)),))
thread.start()
inside.wait()
child = os.fork()
if not child:
    sleep = 0.0
    os._exit(0 if trainer.predict(np.ones((2, 3))).shape == (2, 2) else 1)
thread.join()
print(os.waitpid(child, 0)[1])
"""


def test_a_child_forked_while_modes_are_switched_predicts():
    assert output_of(MODES, timeout=20) == "0"
