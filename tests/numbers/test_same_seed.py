"""The same seed gives the same weights, to the last bit: in every process, and on any number of threads."""

import os
import subprocess
import sys

import pytest

# A network of the usual layers, twice: module by module and compiled; and one that is large enough for many threads.
TRAIN = """if True:
    import hashlib
    import numpy as np, pynet

    def trained(dims, rows, steps, compiled):
        np.random.seed(7)
        layers = [pynet.Linear(dims[0], dims[1], dtype=np.float32), pynet.BatchNorm(dims[1], dtype=np.float32)]
        layers += [pynet.ReLU(), pynet.Dropout(0.3), pynet.Linear(dims[1], dims[2], dtype=np.float32)]
        model, criterion = pynet.Sequential(*layers), pynet.CrossEntropyLoss()
        optimizer = pynet.optim.Adam(model, 0.01)
        step = pynet.compile_step(model, criterion, optimizer)
        assert step.compiled
        X, y = np.random.normal(size=(20 * rows, dims[0])).astype(np.float32), np.random.randint(0, dims[2], 20 * rows)
        for i in range(steps):
            batch = slice(i % 20 * rows, (i % 20 + 1) * rows)
            if compiled:
                step(X[batch], y[batch])
            else:
                output = model.forward(X[batch])
                model.backward(X[batch], criterion.backward(output, y[batch]))
                optimizer.step()
        state = b"".join(np.ascontiguousarray(array).tobytes() for array in model.state_dict().values())
        assert np.isfinite(model.parameters()[0]).all()
        return hashlib.sha256(state).hexdigest()

    for compiled in (False, True):
        print(trained((20, 32, 5), 16, {small}, compiled), trained((300, 200, 10), 150, {large}, compiled))
"""


def hashes(small, large, **environment):
    code = TRAIN.replace("{small}", str(small)).replace("{large}", str(large))
    child = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert (child.returncode, child.stderr) == (0, "")
    found = child.stdout.split()
    assert len(set(found)) == 4  # of four runs
    return found


def test_that_processes_with_other_numbers_of_threads_end_with_the_same_weights():
    """1,000 steps of the small network, module by module and compiled, with dropout."""
    first, *others = (hashes(1000, 20, PYNET_NUM_THREADS=threads) for threads in ("1", "2", "8"))
    assert all(other == first for other in others)


@pytest.mark.thorough
@pytest.mark.parametrize("isa", ["baseline", "v3", "v4"])
def test_that_ten_processes_end_with_the_same_weights(isa):
    """1,000 steps of both networks, on each instruction set."""
    command, environment = [sys.executable, "-c", "import pynet"], os.environ | {"PYNET_ISA": isa}
    supported = subprocess.run(command, env=environment, capture_output=True, check=False)
    if supported.returncode:
        pytest.skip(f"this CPU has no {isa}")
    threads = ("1", "2", "3", "8", "1", "2", "3", "8", "1", "2")
    first, *others = (hashes(1000, 1000, PYNET_NUM_THREADS=count, PYNET_ISA=isa) for count in threads)
    assert all(other == first for other in others)
