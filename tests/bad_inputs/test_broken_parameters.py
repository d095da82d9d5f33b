"""Arrays that somebody has spoiled: refused by name at the next call, with nothing moved."""

import numpy as np
import pytest
from reachable import differences, everything

import pynet

X = np.linspace(-1, 1, 20).reshape(5, 4)


def read_only(array):
    array.flags.writeable = False


def transposed(array):
    array.shape = array.shape[::-1] if array.ndim > 1 else (*array.shape, 1)


def of_another_dtype(array):
    array.dtype = np.int64


DAMAGE = {"read-only": read_only, "of another shape": transposed, "of another dtype": of_another_dtype}
FORWARD = {pynet.Linear: ("W", "b"), pynet.BatchNorm: ("weight", "bias", "running_mean", "running_var")}
BACKWARD = {pynet.Linear: ("W", "grad_W", "grad_b"), pynet.BatchNorm: ("weight", "grad_weight", "grad_bias")}


def layer_in_use(cls):
    layer = pynet.Linear(4, 3, seed=0) if cls is pynet.Linear else pynet.BatchNorm(4)
    layer.backward(X, np.ones_like(layer.forward(X)))
    return layer


def step_in_use():
    model = pynet.Sequential(pynet.Linear(4, 3, seed=0), pynet.BatchNorm(3), pynet.Dropout(0.5))
    step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.1, momentum=0.9))
    step(X, np.array([0, 1, 2, 0, 1]))
    return step


def refused(name, call, *reachable):
    before = everything(*reachable, but=("._plan",))
    with pytest.raises((ValueError, pynet.ShapeError), match=name):
        call()
    assert differences(before, everything(*reachable, but=("._plan",))) == []


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(("cls", "name"), [(cls, name) for cls, names in FORWARD.items() for name in names])
def test_forward_refuses_a_spoiled_parameter(cls, name, damage):
    layer = layer_in_use(cls)
    if (name, damage) == ("W", "of another shape"):
        name = "b"  # a matrix of another shape is seen by what does not fit it any more
        transposed(layer.W)
    else:
        DAMAGE[damage](getattr(layer, name))
    if (name, damage) == ("running_mean", "of another shape"):
        name = "running_mean|running_var"
    refused(name, lambda: layer.forward(X), layer)


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(("cls", "name"), [(cls, name) for cls, names in BACKWARD.items() for name in names])
def test_backward_refuses_a_spoiled_parameter(cls, name, damage):
    layer = layer_in_use(cls)
    DAMAGE[damage](getattr(layer, name))
    grad = np.ones((5, layer.output.shape[1]))
    refused("W" if name == "grad_W" else name, lambda: layer.backward(X, grad), layer)


def test_a_count_that_cannot_be_written_stops_the_statistics_too():
    layer = layer_in_use(pynet.BatchNorm)
    read_only(layer.num_batches_tracked)
    refused("num_batches_tracked must be a writable array", lambda: layer.forward(X), layer)
    assert layer.eval().forward(X).shape == X.shape


@pytest.mark.parametrize("name", ["0.W", "0.b", "0.grad_W", "1.weight", "1.running_mean", "1.num_batches_tracked"])
def test_a_compiled_step_refuses_what_cannot_be_written(name):
    step = step_in_use()
    position, _, attribute = name.partition(".")
    read_only(getattr(step.model[int(position)], attribute))
    refused("must be a writable", lambda: step(X, np.array([0, 1, 2, 0, 1])), step)


@pytest.mark.parametrize("name", ["W", "b", "grad_W", "grad_b", "weight", "bias"])
def test_parameters_cannot_be_deleted(name):
    layer = layer_in_use(pynet.Linear)
    before = everything(layer)
    with pytest.raises(AttributeError):
        delattr(layer, name)
    assert differences(before, everything(layer)) == []


@pytest.mark.parametrize("mask", [None, 5, "mask", [True], np.ones((4, 5), bool), np.ones((5, 4, 1), bool)])
def test_dropout_refuses_a_mask_that_is_none(mask):
    layer = pynet.Dropout()
    layer.forward(X)
    layer.mask = mask
    before = everything(layer)
    with pytest.raises(pynet.StateError, match="mask"):
        layer.backward(X, X)
    assert differences(before, everything(layer)) == []


@pytest.mark.parametrize("mode", [1, "yes", np.True_])
def test_a_mode_is_whatever_is_true(mode):
    layer = layer_in_use(pynet.BatchNorm)
    expected, count = layer.forward(X), int(layer.num_batches_tracked)
    layer.training = mode
    assert layer.forward(X).tobytes() == expected.tobytes()
    assert layer.num_batches_tracked == count + 1
    layer.backward(X, X)


class Scale(pynet.Module):
    """A layer of a user, with a weight and whatever gradient it is given."""

    def __init__(self, weight, gradient):
        super().__init__()
        self.w, self.grad_w = weight, gradient

    def parameters(self):
        return [self.w]

    def grad_parameters(self):
        return [self.grad_w]


def frozen(array):
    read_only(array)
    return array


WRONG_GRADIENTS = [
    (np.ones(3), np.ones(4), pynet.ShapeError, r"the gradient of '1.w' has shape \(4,\), expected \(3,\)"),
    (np.ones(3), np.ones((3, 1)), pynet.ShapeError, "the gradient of '1.w' has shape"),
    (np.ones(3), np.ones(3, complex), TypeError, "gradient of '1.w' must be an array of real numbers"),
    (np.ones(3), np.ones(3, object), TypeError, "gradient of '1.w' must be an array of real numbers"),
    (np.ones(3, int), np.ones(3), TypeError, "parameter '1.w' must be float32 or float64, got int64"),
    (np.ones(3, np.float16), np.ones(3), TypeError, "parameter '1.w' must be float32 or float64, got float16"),
    (np.ones(3, complex), np.ones(3), TypeError, "parameter '1.w' must be float32 or float64, got complex128"),
    (frozen(np.ones(3)), np.ones(3), ValueError, "parameter '1.w' is read-only"),
]


def model_with(weight, gradient):
    first = pynet.Linear(4, 3, seed=0)
    first.backward(X, np.ones((5, 3)))
    return pynet.Sequential(first, Scale(weight, gradient))


@pytest.mark.parametrize("make", [pynet.optim.SGD, pynet.optim.Adam])
@pytest.mark.parametrize(("weight", "gradient", "error", "text"), WRONG_GRADIENTS)
def test_an_optimizer_moves_nothing_if_one_gradient_is_wrong(make, weight, gradient, error, text):
    model = model_with(weight, gradient)
    optimizer = make(model, 0.1)
    before = everything(optimizer)
    with pytest.raises(error, match=text) as caught:
        optimizer.step()
    assert caught.type is error
    assert differences(before, everything(optimizer)) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda model: pynet.optim.clip_grad_norm_(model, 0.1),
        lambda model: pynet.optim.clip_grad_value_(model, 0.1),
        lambda model: pynet.optim.SGD(model, 0.1).zero_grad(),
        lambda model: model.zero_grad(),
    ],
)
def test_gradients_are_written_all_or_none(call):
    model = pynet.Sequential(pynet.Linear(4, 3, seed=0), pynet.Linear(3, 2, seed=1))
    model.backward(X, np.ones((5, 2)))
    read_only(model[1].grad_b)
    before = everything(model)
    with pytest.raises(ValueError, match=r"the gradient of '1\.bias' is read-only"):
        call(model)
    assert differences(before, everything(model)) == []
