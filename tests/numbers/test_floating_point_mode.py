"""The floating-point mode of a process (rounding, flushing of subnormals, traps) is its owner's: nothing changes it."""

import platform
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from floating_point_mode import FLUSH, TOWARDS_ZERO, mode, set_mode

import pynet

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the x86-64 control registers")


def use_everything():
    """Calls large enough for the pool: layers, criteria, optimizers, compiled steps; and calls that fail."""
    x, y = np.random.default_rng(0).normal(size=(300, 200)), np.zeros((300, 64))
    model = pynet.Sequential(pynet.Linear(200, 500), pynet.ReLU(), pynet.Dropout(), pynet.Linear(500, 64))
    for make in (pynet.optim.SGD, pynet.optim.Adam):
        optimizer, criterion = make(model), pynet.MSELoss()
        step = pynet.compile_step(model, criterion, optimizer)
        model.backward(x, criterion.backward(model.forward(x), y))
        optimizer.step()
        step(x, y)
        step.epoch(x, y, batch_size=50)
        pynet.compile_predict(model, freeze=True)(x)
        for wrong in (
            lambda step=step: step(x, y[:, 1:]),
            lambda step=step: step.epoch(x, y, [300]),
            lambda: model.forward(x[:, 1:]),
            lambda criterion=criterion: criterion.forward(x, y),
            lambda make=make: make(model, lr=-1.0),
        ):
            with pytest.raises((ValueError, IndexError)):
                wrong()
    for layer in (pynet.SoftMax(), pynet.LogSoftMax(), pynet.Tanh(), pynet.Sigmoid(), pynet.BatchNorm(200)):
        layer.backward(x, layer.forward(x))


def has_subnormals():
    return bool(np.array([5e-324]) * 1.0 > 0) and bool(np.array([1e-310]) / 2 > 0)


def test_that_importing_leaves_the_mode_as_it_was():
    code = f"""if True:
        import sys, ctypes, numpy
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from floating_point_mode import mode
        before = mode()
        import pynet
        print(mode() == before, before == {mode()})
    """
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (child.returncode, child.stdout.strip(), child.stderr) == (0, "True True", "")


def test_that_calls_leave_the_mode_as_it_was_and_so_do_errors():
    before = mode()
    use_everything()
    assert mode() == before
    assert has_subnormals()


def test_that_other_threads_keep_theirs():
    """The caller's own thread works beside the pool's."""
    found = []

    def work():
        use_everything()
        found.append((mode(), has_subnormals()))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(mode(), True)] * 3


@pytest.mark.parametrize("bits", [FLUSH, TOWARDS_ZERO], ids=["flush to zero", "round towards zero"])
def test_that_a_mode_of_ones_own_stays(bits):
    """In a thread, whose mode ends with it."""
    found = []

    def work():
        wanted = mode()[0] | bits
        set_mode(wanted)
        use_everything()
        found.append(mode()[0] == wanted)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True]
    assert has_subnormals()
