"""Memory after many steps and many failing calls is what it was after a few, and nobody keeps what was passed."""

import gc
import sys

import numpy as np
import pytest
from child import output_of

import pynet

MOST_GROWTH = 256  # KiB

GROWTH = """
import gc, os, sys
import numpy as np, pynet

model = pynet.Sequential(
    pynet.Linear(6, 8, seed=0), pynet.BatchNorm(8), pynet.LeakyReLU(), pynet.Dropout(0.2, seed=1),
    pynet.Sequential(pynet.Linear(8, 8, seed=2), pynet.Tanh()), pynet.Linear(8, 3, seed=3),
)
criterion, optimizer = pynet.CrossEntropyLoss(), pynet.optim.Adam(model, 1e-4)
step, predict = pynet.compile_step(model, criterion, optimizer), pynet.compile_predict(model)
random = np.random.default_rng(0)
x, y, order = random.normal(size=(10, 6)), random.integers(0, 3, 10), np.arange(10)
wrong_x, wrong_y, text = x[:, :5].copy(), y + 7, np.array(["a"] * 10)

def by_modules():
    output = model.forward(x)
    criterion.forward(output, y)
    model.backward(x, criterion.backward(output, y))
    optimizer.step()

def compiled():
    step(x, y)
    predict(x)

def epochs():
    step.epoch(x, y, order, 5)

def fails(*calls):
    for call in calls:
        try:
            call()
        except (ValueError, TypeError, IndexError, pynet.StateError):
            continue
        raise AssertionError("did not fail")

def failing():
    fails(
        lambda: model[0].forward(wrong_x), lambda: model[0].backward(x, wrong_x), lambda: model[0].forward(text),
        lambda: criterion.forward(x[:, :3], wrong_y), lambda: criterion.backward(x[:, :3], wrong_y),
    )

def failing_models():
    fails(
        lambda: model.forward(wrong_x), lambda: model.backward(x, wrong_x), lambda: step(wrong_x, y),
        lambda: step(x, wrong_y), lambda: predict(wrong_x), lambda: model.load_state_dict({}),
        lambda: pynet.Linear(-1, 2), lambda: step.epoch(x, y, [99], 5),
    )

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024

def growth(call, times):
    for _ in range(max(times // 10, 200)):
        call()
    before = resident()
    for _ in range(times):
        call()
    return resident() - before

names, times = sys.argv[1].split(), int(sys.argv[2])
calls = {"by_modules": by_modules, "compiled": compiled, "epochs": epochs}
calls |= {"failing": failing, "failing_models": failing_models}
print(max(growth(calls[name], times) for name in names))
"""


# A tenth of what is promised; a failing call is one of five, or of eight.
@pytest.mark.parametrize(
    ("calls", "times"),
    [("by_modules", 10_000), ("compiled epochs", 10_000), ("failing", 2_000), ("failing_models", 200)],
)
def test_memory_is_flat_over_ten_thousand_calls(calls, times):
    assert int(output_of(GROWTH, calls, times)) <= MOST_GROWTH


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("calls", "times"),
    [("by_modules", 10**5), ("compiled epochs", 10**5), ("failing", 20_000), ("failing_models", 2_000)],
)
def test_memory_is_flat_over_a_hundred_thousand_calls(calls, times):
    assert int(output_of(GROWTH, calls, times, timeout=900)) <= MOST_GROWTH


def network():
    return pynet.Sequential(pynet.Linear(6, 8, seed=0), pynet.BatchNorm(8), pynet.Tanh(), pynet.Linear(8, 3, seed=3))


def counted(call, *arguments, times=100):
    """How much the references to each argument grow over many calls that may raise."""

    def references():
        gc.collect()
        return [sys.getrefcount(argument) for argument in arguments]

    def run():
        try:
            call(*arguments)
        except (ValueError, TypeError):
            return

    run()  # what is kept of the last call, is kept now
    before = references()
    for _ in range(times):
        run()
    return [after - earlier for after, earlier in zip(references(), before, strict=True)]


def test_references_to_arguments_do_not_grow():
    model, criterion = network(), pynet.CrossEntropyLoss()
    optimizer = pynet.optim.SGD(model, 0.01, momentum=0.9)
    step, predict = pynet.compile_step(model, criterion, optimizer), pynet.compile_predict(model)
    x, y, grad = np.ones((5, 6)), np.array([0, 1, 2, 1, 0]), np.ones((5, 3))
    order, wrong, labels, text = np.arange(5), np.ones((5, 7)), np.array([0, 1, 2, 1, 9]), np.array(["a"] * 5)
    calls = [
        (model.forward, x),
        (model.backward, x, grad),
        (criterion.forward, grad, y),
        (criterion.backward, grad, y),
        (step, x, y),
        (step.epoch, x, y, order),
        (predict, x),
        (model.forward, wrong),
        (model.forward, text),
        (model.backward, x, wrong),
        (criterion.forward, grad, labels),
        (criterion.backward, grad, labels),
        (step, wrong, y),
        (step, x, labels),
        (step.epoch, x, labels, order),
        (predict, wrong),
        (model.load_state_dict, {"0.weight": wrong}),
    ]
    for call, *arguments in calls:
        assert counted(call, *arguments) == [0] * len(arguments), call


def test_references_to_parameters_do_not_grow():
    model, criterion = network(), pynet.CrossEntropyLoss()
    step = pynet.compile_step(model, criterion, pynet.optim.Adam(model))
    x, y = np.ones((5, 6)), np.array([0, 1, 2, 1, 0])
    arrays = model.parameters() + model.grad_parameters() + [array for _, array in model.named_buffers()]

    def run(*_):
        step(x, y)
        model.backward(x, criterion.backward(model.forward(x), y))

    assert counted(run, *arrays) == [0] * len(arrays)
