"""A user's own modules: found, trained, named, kept and let go as ours are."""

import gc
import threading
import types
import weakref
from typing import NamedTuple

import numpy as np
import pytest

import pynet
from pynet import protocol
from pynet.testing import gradcheck


class NotebookLinear:
    """The notebook's layer to the letter: no base class, no accumulate, gradients that exist after a backward."""

    def __init__(self, dim_in, dim_out):
        self.W = np.random.uniform(-1, 1, (dim_out, dim_in))
        self.b = np.random.uniform(-1, 1, dim_out)

    def forward(self, input):
        self.output = input @ self.W.T + self.b
        return self.output

    def backward(self, input, grad_output):
        self.grad_W = grad_output.T @ input
        self.grad_b = grad_output.sum(axis=0)
        return grad_output @ self.W

    def parameters(self):
        return [self.W, self.b]

    def grad_parameters(self):
        return [self.grad_W, self.grad_b]


class OwnLinear(NotebookLinear, pynet.Module):
    """The same on pynet's base, without super().__init__()."""


class Noise(pynet.Module):
    """Switches modes by methods that take no argument."""

    def __init__(self):
        self.mode = "training"

    def train(self):
        self.mode = "training"

    def eval(self):
        self.mode = "evaluation"

    def forward(self, input):
        return input + (self.mode == "training")

    def backward(self, input, grad_output):
        return grad_output


class Block(pynet.Module):
    """Holds modules as attributes and in a list, and says nothing more about them."""

    def __init__(self, width):
        super().__init__()
        self.first = pynet.Linear(width, width)
        self.rest = [pynet.Tanh(), NotebookLinear(width, width)]
        self.criterion = pynet.MSE()  # no child

    def forward(self, input):
        for layer in [self.first, *self.rest]:
            input = layer.forward(input)
        return input

    def backward(self, input, grad_output):
        a = self.first.forward(input)
        b = self.rest[0].forward(a)
        return self.first.backward(input, self.rest[0].backward(a, self.rest[1].backward(b, grad_output)))


class Nested(NotebookLinear):
    """Returns its parameters as the notebook's Sequential does: a list of lists."""

    def parameters(self):
        return [[self.W], [self.b]]

    def grad_parameters(self):
        return [[self.grad_W], [self.grad_b]]


OWN = [NotebookLinear, OwnLinear, Nested]
x, y = np.random.default_rng(1).normal(size=(2, 6, 4))


def train(model, steps=30, optimizer=None):
    np.random.seed(0)
    optimizer = optimizer or pynet.optim.SGD(model, 0.05, momentum=0.9)
    criterion = pynet.MSE()
    losses = []
    for _ in range(steps):
        losses.append(criterion(model.forward(x), y))
        model.backward(x, criterion.backward(model.output, y))
        optimizer.step()
    return losses


@pytest.mark.parametrize("own", OWN)
def test_a_users_layer_trains_between_compiled_ones_as_ours_does(own):
    np.random.seed(3)
    mine, ours = own(4, 4), pynet.Linear(4, 4)
    ours.W[...], ours.b[...] = mine.W, mine.b
    models = [
        pynet.Sequential(pynet.Linear(4, 4, seed=1), m, pynet.ReLU(), pynet.Linear(4, 4, seed=2)) for m in (mine, ours)
    ]
    losses = [train(model) for model in models]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)
    assert losses[0][-1] < losses[0][0] / 2
    assert gradcheck(models[0], x).checked == 4 * 6 + 3 * (16 + 4)


@pytest.mark.parametrize("own", OWN)
def test_a_users_layer_accumulates_without_knowing_how(own):
    model = pynet.Sequential(pynet.Linear(4, 4), own(4, 4))
    model.forward(x)
    model.backward(x, y)
    once = [g.copy() for g in model.grad_parameters()]
    model.backward(x, 2 * y, accumulate=True)
    for gradient, first in zip(model.grad_parameters(), once, strict=True):
        np.testing.assert_allclose(gradient, 3 * first)


@pytest.mark.parametrize("own", OWN)
def test_a_users_layer_has_names_state_and_zero_gradients_at_first(own):
    model = pynet.Sequential(pynet.ReLU(), own(4, 3))
    assert [name for name, _ in model.named_parameters()] == ["1.W", "1.b"]
    assert [g.shape for g in model.grad_parameters()] == [(3, 4), (3,)]
    model.zero_grad()
    other = pynet.Sequential(pynet.ReLU(), own(4, 3))
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(other.forward(x), model.forward(x))
    assert model.astype(np.float32).parameters()[0].dtype == np.float32
    assert model.layers[1].W.dtype == np.float32


def test_modules_in_attributes_and_lists_are_found():
    block = Block(4)
    model = pynet.Sequential(block, pynet.Dropout())
    assert [name for name, _ in model.named_parameters()] == [
        "0.first.weight",
        "0.first.bias",
        "0.rest.1.W",
        "0.rest.1.b",
    ]
    assert len(model.grad_parameters()) == 4
    model.eval()
    assert not block.training
    assert not block.first.training
    losses = train(model)
    assert losses[-1] < losses[0] / 2
    gradcheck(model, x)


def test_a_users_train_and_eval_may_take_no_argument():
    model = pynet.Sequential(pynet.Sequential(Noise()), pynet.Linear(4, 4))
    assert model.eval() is model
    assert model[0][0].mode == "evaluation"
    model.train()
    assert model[0][0].mode == "training"


def test_super_parameters_can_be_extended():
    class Scaled(pynet.Module):
        def __init__(self):
            super().__init__()
            self.body, self.scale, self.grad_scale = pynet.Linear(4, 4), np.ones(1), np.zeros(1)

        def forward(self, input):
            return self.body.forward(input) * self.scale

        def backward(self, input, grad_output):
            self.grad_scale[...] = np.sum(self.body.forward(input) * grad_output)
            return self.body.backward(input, grad_output * self.scale)

        def parameters(self):
            return [*super().parameters(), self.scale]

        def grad_parameters(self):
            return [*super().grad_parameters(), self.grad_scale]

    model = pynet.Sequential(Scaled())
    assert [name for name, _ in model.named_parameters()] == ["0.body.weight", "0.body.bias", "0.scale"]
    gradcheck(model, x)


def test_parameter_names_are_enough():
    class Shift(pynet.Module):
        parameter_names = ("shift",)

        def __init__(self, width):
            super().__init__()
            self.width, self.shift, self.grad_shift = width, np.zeros(width), np.zeros(width)

        def forward(self, input):
            return input + self.shift

        def backward(self, input, grad_output):
            self.grad_shift[...] = grad_output.sum(axis=0)
            return grad_output

    shift = Shift(4)
    assert repr(shift) == "Shift(4)"
    assert shift.parameters()[0] is shift.shift
    assert shift.grad_parameters()[0] is shift.grad_shift
    gradcheck(shift, x)


def test_one_module_twice_adds_its_gradients_up_within_one_backward():
    layer = pynet.Linear(4, 4)
    for model in (
        pynet.Sequential(layer, pynet.Tanh(), layer),
        pynet.Sequential(pynet.Sequential(layer, pynet.ReLU()), pynet.Sequential(layer)),
    ):
        assert [id(p) for p in model.parameters()] == [id(layer.W), id(layer.b)]
        assert next(name for name, _ in model.named_parameters()).endswith("0.weight")
        model.forward(x)
        for _ in range(2):
            model.backward(x, y)
        once = layer.grad_W.copy()
        gradcheck(model, x)
        model.backward(x, y, accumulate=True)
        np.testing.assert_allclose(layer.grad_W, 2 * once, rtol=1e-12)


def test_a_users_layer_twice_adds_its_gradients_up_too():
    layer = NotebookLinear(4, 4)
    model = pynet.Sequential(layer, pynet.Tanh(), layer)
    model.forward(x)
    gradcheck(model, x)


class KeepsOutput(pynet.Module):
    """The notebook's SoftMax, whose backward uses the output that forward kept."""

    def forward(self, input):
        e = np.exp(input - input.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)
        return self.output

    def backward(self, input, grad_output):
        return self.output * (grad_output - np.sum(self.output * grad_output, axis=1, keepdims=True))


class Pair(NamedTuple):
    W: np.ndarray
    b: np.ndarray


class KeepsTuples(NotebookLinear):
    """Its parameters lie in a named tuple, and other things in tuples too."""

    calls = 0

    def __init__(self, dim_in, dim_out):
        super().__init__(dim_in, dim_out)
        self.both, self.sizes, self.rest = Pair(self.W, self.b), (dim_in, dim_out), ([np.ones(2)], {"a": (np.ones(2),)})
        del self.W, self.b

    def forward(self, input):
        KeepsTuples.calls += 1  # of copies, too
        self.output = input @ self.both.W.T + self.both.b
        return self.output

    def backward(self, input, grad_output):
        self.gradients = (grad_output.T @ input, grad_output.sum(axis=0))
        return grad_output @ self.both.W

    def parameters(self):
        return list(self.both)

    def grad_parameters(self):
        return list(self.gradients)


def test_astype_converts_what_lies_in_tuples():
    layer = KeepsTuples(4, 3)
    sizes, kept = layer.sizes, layer.rest[0]
    model = pynet.Sequential(layer, pynet.Tanh())
    model.forward(x)
    model.backward(x, y[:, :3])
    want = layer.both.W.copy()
    model.astype(np.float32)
    assert {array.dtype for array in model.parameters() + model.grad_parameters()} == {np.dtype(np.float32)}
    assert type(layer.both) is Pair
    np.testing.assert_allclose(layer.both.W, want, rtol=1e-6)
    assert layer.sizes is sizes
    assert layer.rest[0] is kept
    assert (kept[0].dtype, layer.rest[1]["a"][0].dtype) == (np.float32, np.float32)
    before = KeepsTuples.calls
    model.backward(x, y[:, :3])
    assert KeepsTuples.calls == before  # the last forward is still there
    assert model.forward(x.astype(np.float32)).dtype == np.float32


def a_namespace(array):
    """A module without a class of its own: its functions hold an array."""
    return types.SimpleNamespace(forward=lambda x: x * array, backward=lambda x, grad: grad * array)


def a_bound_method(array):
    """A module that holds another one's method."""
    linear = NotebookLinear(4, 4)
    linear.kept = array
    return types.SimpleNamespace(forward=linear.forward, backward=linear.backward)


def a_local_class(array):
    class Local(NotebookLinear):
        kept = array

    return Local(4, 4)


@pytest.mark.parametrize("make", [a_namespace, a_bound_method, a_local_class])
def test_nothing_of_a_users_module_is_kept_alive(make):
    array = np.ones(4)
    model = pynet.Sequential(pynet.Linear(4, 4), make(array))
    model.forward(x)
    model.backward(x, y, accumulate=True)
    assert len(model.parameters()) >= 2
    left = weakref.ref(array), weakref.ref(type(model[1]))
    del model, array
    gc.collect()
    assert left[0]() is None
    assert left[1]() in (None, types.SimpleNamespace)


class Accumulates(pynet.Module):
    """A user's own that knows how to add gradients up."""

    parameter_names = ("scale",)

    def __init__(self):
        super().__init__()
        self.scale, self.grad_scale = np.full(4, 2.0), np.zeros(4)

    def forward(self, input):
        return input * self.scale

    def backward(self, input, grad_output, accumulate=False):
        self.grad_scale[...] = np.sum(input * grad_output, axis=0) + (self.grad_scale if accumulate else 0)
        return grad_output * self.scale


@pytest.mark.parametrize("make", [lambda: pynet.Linear(4, 4), Accumulates])
def test_a_backward_that_is_an_attribute_is_called_by_its_own_signature(make):
    layer = make()
    model = pynet.Sequential(layer)
    model.backward(x, 2 * y)
    want = layer.grad_parameters()[0].copy()
    layer.backward = lambda at, grad: type(layer).backward(layer, at, 2 * grad)
    model.backward(x, y)
    np.testing.assert_array_equal(layer.grad_parameters()[0], want)
    model.backward(x, y, accumulate=True)
    np.testing.assert_allclose(layer.grad_parameters()[0], 2 * want)
    with pynet.capture(model) as seen:
        model.backward(x, y)
    np.testing.assert_array_equal(seen.grad_outputs["0"], y)
    np.testing.assert_array_equal(layer.grad_parameters()[0], want)


def test_a_backward_that_is_an_attribute_writes_no_frozen_gradients():
    layer = pynet.Linear(4, 4).freeze()

    def backward(input, grad_output):
        layer.grad_W[...] = 7
        return grad_output @ layer.W

    layer.backward = backward
    pynet.Sequential(layer).backward(x, y)
    assert not layer.grad_W.any()


@pytest.mark.parametrize("end", [(), (pynet.Tanh(),)])
def test_a_users_layer_that_keeps_its_output_is_right_elsewhere_too(end):
    first, second = pynet.Linear(4, 4, seed=1), pynet.Linear(4, 4, seed=2)
    own = KeepsOutput()
    model = pynet.Sequential(first, own, second, own, *end)
    ours = pynet.Sequential(first, pynet.SoftMax(), second, pynet.SoftMax(), *end)
    expected = ours.backward(x, y)
    model.forward(x)
    np.testing.assert_allclose(model.backward(x, y), expected)
    model.forward(x + 1)
    kept = own.output
    np.testing.assert_allclose(model.backward(x, y), expected)
    assert own.output is kept


def test_a_module_with_other_numbers_of_gradients_is_named():
    class Uneven(NotebookLinear):
        def grad_parameters(self):
            return [self.W]

    with pytest.raises(pynet.StateError, match="2 parameters but 1 gradients"):
        pynet.Sequential(Uneven(4, 4)).grad_parameters()


def test_protocol_takes_modules_of_any_class():
    assert protocol.is_module(NotebookLinear(1, 1))
    assert not protocol.is_module(NotebookLinear)
    assert not protocol.is_module(pynet.MSE())


class Fixed(tuple):
    """A tuple with a constructor of its own."""

    def __new__(cls, a, b):
        return super().__new__(cls, (a, b))


def test_astype_leaves_tuples_alone_that_it_cannot_make():
    own = NotebookLinear(4, 3)
    own.pair = Fixed(np.ones(2), np.ones(2))
    model = pynet.Sequential(pynet.Linear(4, 4), own, pynet.Linear(3, 2)).astype(np.float32)
    assert {array.dtype for array in model.parameters()} == {np.dtype(np.float32)}
    assert own.pair[0].dtype == np.float64


class Locked(NotebookLinear):
    """Cannot be copied."""

    def __init__(self, dim_in, dim_out):
        super().__init__(dim_in, dim_out)
        self.lock = threading.Lock()


def test_a_users_layer_that_cannot_be_copied_predicts_and_trains():
    model = pynet.Sequential(Locked(4, 3), pynet.Tanh(), pynet.Linear(3, 2))
    assert np.array_equal(pynet.compile_predict(model)(x), model.forward(x))
    trainer = pynet.Trainer(model, pynet.MSE(), pynet.optim.SGD(model, 0.05))
    history = trainer.fit(x, y[:, :2], epochs=20)
    assert history["loss"][-1] < history["loss"][0]
    assert np.array_equal(trainer.predict(x), model.forward(x))
