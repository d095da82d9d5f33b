"""What cannot be compiled runs module by module; arguments are checked."""

import numpy as np
import pytest
from compiled_steps import Doubled, compare, loop_step, network, pair, same_bits, sgd, state

import pynet


class OwnForward(pynet.Linear):
    def forward(self, input):
        return super().forward(input) + 1


def tied():
    first, second = pynet.Linear(3, 3, seed=0), pynet.Linear(3, 3, seed=1)
    second.W = first.W
    return pynet.Sequential(first, second)


def shared():
    layer = pynet.Linear(3, 3, seed=0)
    return pynet.Sequential(layer, pynet.ReLU(), layer)


def hooked():
    model = pynet.Sequential(pynet.Linear(3, 3, seed=0), pynet.ReLU())
    model[1].register_forward_hook(lambda *args: None)
    return model


NOT_COMPILED = [
    (lambda: pynet.Sequential(pynet.Linear(3, 3, seed=0), Doubled()), "layer 1, Doubled(), has no compiled form"),
    (lambda: pynet.Sequential(OwnForward(3, 3, seed=0)), "has a forward or backward of its own"),
    (tied, "share memory"),
    (shared, "stands twice"),
    (hooked, "has hooks"),
    (
        lambda: pynet.Sequential(pynet.Linear(3, 3, seed=0), pynet.Linear(3, 3, dtype=np.float32, seed=0)),
        "parameters of one dtype",
    ),
]


@pytest.mark.parametrize(("make", "reason"), NOT_COMPILED)
def test_what_cannot_be_compiled_runs_module_by_module_and_says_why(make, reason):
    model, twin = make(), make()
    optimizer, other = sgd(model), sgd(twin)
    step, criterion = pynet.compile_step(model, pynet.MSELoss(), optimizer, clip_norm=0.3), pynet.MSELoss()
    assert not step.compiled
    assert reason in step.reason
    random = np.random.default_rng(0)
    for _ in range(3):
        x, y = random.normal(size=(5, 3)), random.normal(size=(5, 3))
        assert step(x, y) == loop_step(twin, criterion, other, x, y, clip_norm=0.3)
        assert np.array_equal(step.output, twin.output)
    assert same_bits(state(model, optimizer), state(twin, other))
    losses = step.epoch(x, y, batch_size=2)
    assert losses.shape == (2,)
    assert np.all(np.isfinite(losses))
    predict = pynet.compile_predict(model)
    if not hooked or reason != "has hooks":
        np.testing.assert_allclose(predict(x), model.eval().forward(x))


def test_a_step_compiles_again_when_the_obstacle_is_gone():
    model = hooked()
    step = pynet.compile_step(model, pynet.MSELoss(), sgd(model))
    x = np.ones((2, 3))
    step(x, x)
    assert not step.compiled
    del model[1].forward
    model.layers[1] = pynet.ReLU()
    step(x, x)
    assert step.compiled
    assert step.reason == ""
    handle = model[1].register_backward_hook(lambda *args: None)
    assert not step.compiled
    handle.remove()
    assert step.compiled


def test_inputs_of_more_axes_are_flattened_or_left_to_the_modules():
    x, y = np.random.default_rng(0).normal(size=(10, 4, 3)), np.arange(10) % 5
    flat = pynet.Sequential(pynet.Flatten(), pynet.Linear(12, 5, seed=0))
    compare(flat, pynet.CrossEntropyLoss(), sgd, lambda i: (x, y), np.float64, steps=3)
    deep = pynet.Sequential(pynet.Linear(3, 5, seed=0))
    target = np.zeros((10, 4, 5))
    run, _, step = pair(deep, pynet.MSELoss(), sgd)
    for _ in range(3):
        np.testing.assert_allclose(step(x, target), run(x, target), rtol=1e-12)
        np.testing.assert_allclose(step.output, deep.output, rtol=1e-12)
    np.testing.assert_allclose(pynet.compile_predict(deep)(x), deep.forward(x), rtol=1e-12)
    np.testing.assert_allclose(pynet.compile_predict(flat)(x), flat.forward(x), rtol=1e-12)


def test_arguments_are_checked():
    model = network(3, 4, 2)
    for arguments, error in [
        ((object(), pynet.MSE(), sgd(model)), TypeError),
        ((model, pynet.MSE, sgd(model)), TypeError),
        ((model, pynet.MSE(), pynet.optim.SGD), TypeError),
        ((model, pynet.MSE(), sgd(network(3, 4, 2))), ValueError),
    ]:
        with pytest.raises(error):
            pynet.compile_step(*arguments)
    with pytest.raises(ValueError, match="clip_norm"):
        pynet.compile_step(model, pynet.MSE(), sgd(model), clip_norm=-1)
    with pytest.raises(TypeError, match="model"):
        pynet.compile_predict(3)


def test_what_is_compiled_says_what_it_is_made_of_and_how_it_runs():
    model = pynet.Sequential(pynet.Linear(3, 3))
    optimizer = sgd(model)
    step, predict = pynet.compile_step(model, pynet.MSELoss(), optimizer), pynet.compile_predict(model)
    assert repr(step) == f"CompiledStep(Sequential, MSELoss(), {optimizer!r}, compiled)"
    assert repr(predict) == "CompiledPredict(Sequential, compiled)"
    assert repr(pynet.compile_predict(model, freeze=True)) == "CompiledPredict(Sequential, freeze=True, compiled)"
    model.append(Doubled())
    why = "module by module: layer 1, Doubled(), has no compiled form)"
    assert repr(step).endswith(f", {why}")
    assert repr(predict) == f"CompiledPredict(Sequential, {why}"
