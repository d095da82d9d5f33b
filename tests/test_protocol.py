"""The protocol: a user's own modules, containers, names, modes, copies of state."""

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


def test_a_container_uses_its_own_intermediates_only_for_the_same_array():
    model = pynet.Sequential(pynet.Linear(4, 4), pynet.Tanh(), pynet.Linear(4, 2))
    grad = np.ones((6, 2))
    model.forward(x)
    from_kept = model.backward(x, grad)
    np.testing.assert_array_equal(model.backward(x.copy(), grad), from_kept)
    model.forward(y)
    np.testing.assert_array_equal(model.backward(x, grad), from_kept)
    model.append(pynet.ReLU())
    model.layers.pop()
    np.testing.assert_array_equal(model.backward(x, grad), from_kept)


def test_a_new_layer_after_forward_is_seen_by_backward():
    model = pynet.Sequential(pynet.Linear(4, 4))
    model.forward(x)
    model.append(pynet.LeakyReLU(0.5))
    model.backward(x, y)
    assert gradcheck(model, x)


def test_a_backward_elsewhere_keeps_the_dropout_mask_and_raises_without_one():
    model = pynet.Sequential(pynet.Linear(4, 4), pynet.Dropout(0.5), pynet.Linear(4, 4))
    with pytest.raises(pynet.StateError, match="no mask"):
        model.backward(x, y)
    model.forward(x)
    mask = model[1].mask.copy()
    random = np.random.get_state()[1].copy()
    model.backward(x + 1, y)
    np.testing.assert_array_equal(model[1].mask, mask)
    np.testing.assert_array_equal(np.random.get_state()[1], random)
    with pytest.raises(pynet.StateError, match="shape"):
        model.backward(x[:3], y[:3])


def test_a_module_with_other_numbers_of_gradients_is_named():
    class Uneven(NotebookLinear):
        def grad_parameters(self):
            return [self.W]

    with pytest.raises(pynet.StateError, match="2 parameters but 1 gradients"):
        pynet.Sequential(Uneven(4, 4)).grad_parameters()


def test_both_spellings_are_the_same_arrays():
    layer = pynet.Linear(4, 3)
    assert layer.W is layer.weight
    assert layer.b is layer.bias
    assert layer.grad_W is layer.grad_weight
    assert layer.grad_b is layer.grad_bias
    assert not layer.grad_W.any()
    assert layer.grad_W.shape == (3, 4)


def test_an_assigned_array_is_kept_when_it_can_be_and_copied_when_not():
    layer = pynet.Linear(4, 3)
    good = np.ones((3, 4))
    layer.W = good
    assert layer.W is good
    good[0, 0] = 5
    assert layer.forward(np.eye(4))[0, 0] == 5 + layer.b[0]
    odd = np.ones((4, 3)).T
    layer.weight = odd
    assert layer.W is not odd
    assert layer.W.flags.c_contiguous
    frozen = np.ones((3, 4))
    frozen.flags.writeable = False
    layer.W = frozen
    assert layer.W.flags.writeable
    layer.W = [[1] * 4] * 3
    assert layer.W.dtype == np.float64
    before = layer.W
    with pytest.raises(pynet.ShapeError, match=r"W has shape \(4, 3\), expected \(3, 4\)"):
        layer.W = np.ones((4, 3))
    with pytest.raises(TypeError, match="W"):
        layer.W = None
    with pytest.raises(ValueError, match="no b"):
        pynet.Linear(4, 3, bias=False).b = np.zeros(3)
    assert layer.W is before


def test_an_assigned_array_of_another_dtype_takes_the_layer_along():
    layer = pynet.Linear(4, 3)
    layer.W = np.ones((3, 4), np.float32)
    assert {a.dtype for a in (layer.W, layer.b, layer.grad_W, layer.grad_b)} == {np.dtype(np.float32)}
    assert layer.forward(x).dtype == np.float32


def test_a_spoilt_parameter_raises_and_does_not_crash():
    layer = pynet.Linear(4, 3)
    layer.W.resize((12,), refcheck=False)
    with pytest.raises(pynet.ShapeError, match="W"):
        layer.forward(x)
    layer = pynet.Linear(4, 3)
    layer.grad_W.flags.writeable = False
    with pytest.raises(ValueError, match="grad_W"):
        layer.backward(x, y[:, :3])


def test_in_place_changes_count_in_the_next_call():
    layer = pynet.Linear(4, 3)
    layer.forward(x)
    layer.W *= 2
    np.testing.assert_allclose(layer.forward(x), x @ layer.W.T + layer.b)
    np.testing.assert_allclose(layer.backward(x, y[:, :3]), y[:, :3] @ layer.W)


def test_the_parameters_decide_the_dtype():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.ReLU()).astype(np.float32)
    assert model.forward(x).dtype == np.float32
    assert model.backward(x, y[:, :3]).dtype == np.float32
    assert pynet.ReLU().forward(x.astype(np.float32)).dtype == np.float32
    assert pynet.ReLU().forward([1, 2]).dtype == np.float64
    pynet.set_default_dtype(np.float32)
    assert pynet.Linear(2, 2).W.dtype == np.float32
    assert pynet.BatchNorm(2).running_var.dtype == np.float32
    assert pynet.ReLU().forward([1, 2]).dtype == np.float32
    assert pynet.Linear(2, 2, dtype="float64").W.dtype == np.float64
    for layer in (pynet.ReLU(), pynet.SoftMax()):
        assert layer([[1.0, 2.0]]).dtype == layer(((1, 2),)).dtype == np.float32  # a list has no dtype of its own
        assert layer(np.ones((1, 2))).dtype == np.float64
    assert pynet.MSELoss()([[1.0]], [[2.0]]).dtype == np.float32
    for wrong in (np.float16, int, "text", None):
        with pytest.raises(TypeError, match="float32 or float64"):
            pynet.set_default_dtype(wrong)


def test_state_dict_errors_change_nothing():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.BatchNorm(3))
    good, before = model.state_dict(), [p.copy() for p in model.parameters()]
    with pytest.raises(ValueError, match=r"missing \['0.bias'\], unexpected \['extra'\]"):
        model.load_state_dict({**{k: v + 1 for k, v in good.items() if k != "0.bias"}, "extra": np.ones(1)})
    with pytest.raises(pynet.ShapeError, match=r"1.running_var has shape \(4,\), expected \(3,\)"):
        model.load_state_dict({**{k: v + 1 for k, v in good.items()}, "1.running_var": np.ones(4)})
    with pytest.raises(TypeError, match=r"1\.bias"):
        model.load_state_dict({**{k: v + 1 for k, v in good.items()}, "1.bias": np.full(3, 1j)})
    assert all((a == b).all() for a, b in zip(model.parameters(), before, strict=True))
    result = model.load_state_dict({"0.weight": good["0.weight"] * 0, "extra": [1]}, strict=False)
    assert result.unexpected == ["extra"]
    assert result.missing == [name for name in good if name != "0.weight"]
    assert not model[0].W.any()


def test_state_dict_names_are_pytorchs():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.BatchNorm(3), pynet.Sequential(pynet.ReLU(), pynet.Linear(3, 2)))
    assert list(model.state_dict()) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
        "2.1.weight",
        "2.1.bias",
    ]
    assert model.state_dict()["1.num_batches_tracked"].dtype == np.int64


def test_evaluation_from_many_threads_gives_each_its_answer():
    model = pynet.Sequential(
        pynet.Linear(4, 64), pynet.BatchNorm(64), pynet.Dropout(), pynet.Tanh(), pynet.Linear(64, 3)
    ).eval()
    inputs = [np.random.normal(size=(50, 4)) for _ in range(8)]
    expected = [model.forward(i) for i in inputs]
    wrong = []

    def work(i):
        for _ in range(50):
            if not np.array_equal(model.forward(inputs[i]), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_identity_layers_return_their_input():
    assert pynet.Sequential().forward(x) is x
    assert pynet.Dropout().eval().forward(x) is x


def test_repr_shows_what_to_write():
    assert repr(pynet.Linear(3, 2, bias=False)) == "Linear(3, 2, bias=False)"
    assert repr(pynet.Linear(3, 2, dtype=np.float32)) == "Linear(3, 2, dtype=float32)"
    assert repr(pynet.LeakyReLU()) == "LeakyReLU()"
    assert repr(pynet.Sequential(pynet.ReLU(), pynet.Sequential(pynet.Dropout(0.1)))) == (
        "Sequential(\n  (0): ReLU()\n  (1): Sequential(\n    (0): Dropout(p=0.1)\n  )\n)"
    )


class Plain:
    """No base class, and no repr."""

    def __init__(self, width=1, *held):
        self.width, self.held = width, held

    def forward(self, input):
        return input

    def backward(self, input, grad_output):
        return grad_output


def test_modules_without_a_base_are_shown_as_ours_are():
    model = pynet.Sequential(Plain(), Plain(3), Plain(2, pynet.ReLU(), Plain()))
    assert repr(model) == (
        "Sequential(\n  (0): Plain()\n  (1): Plain(width=3)\n"
        "  (2): Plain(\n    (held.0): ReLU()\n    (held.1): Plain()\n  )\n)"
    )
    one, other = Plain(), Plain()
    one.held, other.held = [other], [one]
    assert (
        repr(pynet.Sequential(one))
        == "Sequential(\n  (0): Plain(\n    (held.0): Plain(\n      (held.0): ...\n    )\n  )\n)"
    )


def test_protocol_takes_modules_of_any_class():
    assert protocol.is_module(NotebookLinear(1, 1))
    assert not protocol.is_module(NotebookLinear)
    assert not protocol.is_module(pynet.MSE())
