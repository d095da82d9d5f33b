"""Containers where it is easy to go wrong: modules that stand twice or hold others, and backward away from forward."""

import copy

import numpy as np
import pytest
from test_users_modules import NotebookLinear

import pynet
from pynet.testing import gradcheck

x, y = np.random.default_rng(1).normal(size=(2, 6, 4))


def test_a_sequential_behaves_like_a_list():
    layers = [pynet.Linear(4, 3), pynet.ReLU(), pynet.Linear(3, 2)]
    model = pynet.Sequential(*layers)
    assert len(model) == 3
    assert list(model) == layers
    assert model[-1] is layers[2]
    assert isinstance(model[:2], pynet.Sequential)
    assert list(model[1:]) == layers[1:]
    assert not model.eval()[1:].training
    assert model.append(pynet.Tanh()) is model
    assert len(model.layers) == 4


def test_what_is_no_module_is_refused_with_its_place():
    for wrong, hint in (
        (3, "layer 1"),
        (None, "layer 1"),
        (pynet.ReLU, r"write ReLU\(\.\.\.\)"),
        ([], r"\*layers"),
        (pynet.MSE(), "layer 1"),
    ):
        with pytest.raises(TypeError, match=hint):
            pynet.Sequential(pynet.ReLU(), wrong)
    model = pynet.Sequential(pynet.ReLU())
    for inside in (model, pynet.Sequential(pynet.Sequential(model))):
        with pytest.raises(ValueError, match="itself"):
            model.append(inside)


def test_errors_name_the_layer_and_its_place():
    model = pynet.Sequential(pynet.ReLU(), pynet.Sequential(pynet.Linear(4, 3), pynet.Linear(2, 2)))
    with pytest.raises(pynet.ShapeError) as caught:
        model.forward(x)
    assert str(caught.value) == "Linear(2, 2): input has 3 features, expected 2 (shape (6, 3))"
    assert caught.value.__notes__[0] == "in layer 1 of Sequential: Linear(2, 2)"
    assert caught.value.__notes__[1].startswith("in layer 1 of Sequential: Sequential(")
    with pytest.raises(pynet.ShapeError, match=r"x\[None\]"):
        pynet.Linear(4, 3).forward(x[0])


@pytest.mark.parametrize("wrong", [None, "text", (1, 2)])
def test_a_module_that_returns_no_array_is_named(wrong):
    class Broken(pynet.Module):
        def forward(self, input):
            return wrong

        def backward(self, input, grad_output):
            return wrong

    model = pynet.Sequential(pynet.ReLU(), Broken(), pynet.ReLU())
    with pytest.raises(TypeError, match="forward must return an array") as caught:
        model.forward(x)
    assert "layer 1" in caught.value.__notes__[0]

    class BrokenBack(Broken):
        def forward(self, input):
            return input

    with pytest.raises(TypeError, match="backward must return an array"):
        pynet.Sequential(BrokenBack()).backward(x, y)


def test_deep_nesting_ends_in_a_python_error_at_worst():
    model = pynet.Sequential(pynet.ReLU())
    for _ in range(200):
        model = pynet.Sequential(model)
    np.testing.assert_array_equal(model.forward(x), np.maximum(x, 0))
    for _ in range(100_000):
        outer = pynet.Sequential()
        outer.layers.append(model)
        model = outer
    with pytest.raises(RecursionError):
        model.forward(x)


class Own:
    """A user's module with nothing but the two methods; subclasses hold other modules."""

    def forward(self, input):
        for layer in self.layers():
            input = layer.forward(input)
        return input

    def backward(self, input, grad_output):
        return self.layers()[0].backward(input, grad_output)


class Plain(Own):
    def __init__(self):
        self.body = pynet.Linear(4, 4)

    def layers(self):
        return [self.body]


class SaysNothing(Plain):
    """On the notebook's base class, whose parameters() is empty and whose modes concern itself alone."""

    def parameters(self):
        return []

    def grad_parameters(self):
        return []

    def train(self):
        self.mode = "training"

    def eval(self):
        self.mode = "evaluation"


class SaysAll(Plain):
    def parameters(self):
        return self.body.parameters()

    def grad_parameters(self):
        return self.body.grad_parameters()


class InLists(Own):
    def __init__(self):
        self.blocks = [[pynet.Linear(4, 4)], {"a": (pynet.Dropout(),)}]

    def layers(self):
        return self.blocks[0]


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (Plain, ["0.body.weight", "0.body.bias"]),
        (SaysNothing, ["0.body.weight", "0.body.bias"]),
        (SaysAll, ["0.body.weight", "0.body.bias"]),
        (InLists, ["0.blocks.0.0.weight", "0.blocks.0.0.bias"]),
    ],
)
def test_modules_held_by_a_users_module_are_found_whatever_it_says(make, names):
    model = pynet.Sequential(make())
    assert [name for name, _ in model.named_parameters()] == names
    assert list(model.state_dict()) == names
    model.eval()
    assert not model[0].layers()[0].training
    gradcheck(model, x)
    linear = model[0].layers()[0]
    for both in (pynet.Sequential(linear, model[0]), pynet.Sequential(model[0], linear)):
        assert [id(p) for p in both.parameters()] == [id(linear.W), id(linear.b)]


def test_a_subclass_of_ours_may_hold_modules_and_arrays():
    class Net(pynet.Sequential):
        def __init__(self):
            super().__init__(pynet.Linear(4, 4))
            self.side = pynet.Linear(4, 4)

    class More(pynet.Linear):
        def __init__(self):
            super().__init__(4, 4)
            self.extra, self.grad_extra, self.inner = np.ones(2), np.zeros(2), pynet.Dropout()

        def parameters(self):
            return [*super().parameters(), self.extra]

        def grad_parameters(self):
            return [*super().grad_parameters(), self.grad_extra]

    assert [name for name, _ in Net().named_parameters()] == ["0.weight", "0.bias", "side.weight", "side.bias"]
    more = More()
    assert [id(p) for p in more.parameters()] == [id(more.W), id(more.b), id(more.extra)]
    assert len(more.grad_parameters()) == 3
    assert not more.eval().inner.training


def test_a_child_that_holds_its_parent_does_not_lead_in_circles():
    model = pynet.Sequential(pynet.Linear(2, 2), NotebookLinear(2, 2))
    model[1].parent = model
    assert not model.eval().training
    assert len(model.parameters()) == 4
    model.backward(np.ones((1, 2)), np.ones((1, 2)))


def test_two_layers_may_share_an_array():
    a, b = pynet.Linear(4, 4), pynet.Linear(4, 4)
    b.W = a.W
    model = pynet.Sequential(a, b)
    assert len(model.parameters()) == 4
    gradient = [g.copy() for g in model.grad_parameters() if model.backward(x, y) is not None]
    before = a.W.copy()
    pynet.optim.SGD(model, 0.1).step()
    np.testing.assert_allclose(a.W, before - 0.1 * (a.grad_W + b.grad_W))
    assert len(gradient) == 4
    model.astype(np.float32)
    assert a.W is b.W


def test_a_dropout_that_stands_twice_uses_the_mask_of_each_place():
    dropout = pynet.Dropout(0.5)
    model = pynet.Sequential(dropout, pynet.Linear(4, 4), dropout)
    gradcheck(model, x)
    np.random.seed(0)
    model.forward(x)
    expected = model.backward(x, y)
    dropout.forward(y)
    np.testing.assert_array_equal(model.backward(x, y), expected)


def test_a_users_block_around_a_dropout_keeps_its_mask_when_computed_anew():
    class Block(pynet.Module):
        def __init__(self):
            super().__init__()
            self.inner = pynet.Dropout(0.5)

        def forward(self, input):
            return self.inner.forward(input)

        def backward(self, input, grad_output):
            return self.inner.backward(input, grad_output)

    model = pynet.Sequential(Block(), pynet.Linear(4, 4), pynet.BatchNorm(4))
    model.forward(x)
    model.backward(x, y)
    expected, statistics = model[1].grad_W.copy(), model[2].running_mean.copy()
    model.backward(x.copy(), y)
    np.testing.assert_array_equal(model[1].grad_W, expected)
    np.testing.assert_array_equal(model[2].running_mean, statistics)


class UsesOutput:
    """The notebook's Sigmoid: its backward uses what forward kept."""

    def forward(self, input):
        self.output = 1 / (1 + np.exp(-input))
        return self.output

    def backward(self, input, grad_output):
        return grad_output * self.output * (1 - self.output)


def test_a_users_layer_that_keeps_its_output_needs_no_forward_before_backward():
    model = pynet.Sequential(pynet.Linear(4, 4), UsesOutput(), pynet.Linear(4, 4))
    got = model.backward(x, y)
    assert not hasattr(model[1], "output")
    model.forward(x)
    np.testing.assert_array_equal(model.backward(x, y), got)
    np.testing.assert_array_equal(copy.deepcopy(model).backward(x, y), got)


class Keeps:
    """Keeps the caller's array as its gradient."""

    def __init__(self, rows):
        self.b = np.zeros((rows, 4))

    def forward(self, input):
        return input + self.b

    def backward(self, input, grad_output):
        self.grad_b = grad_output
        return grad_output

    def parameters(self):
        return [self.b]

    def grad_parameters(self):
        return [self.grad_b]


def test_accumulating_leaves_the_callers_arrays_alone():
    model, grad = pynet.Sequential(Keeps(1)), np.ones((1, 4))
    model[0].grad_b = np.zeros((1, 4))
    for _ in range(2):
        assert model.backward(x[:1], grad, accumulate=True) is grad
    np.testing.assert_array_equal(model[0].grad_b, 2 * np.ones((1, 4)))
    np.testing.assert_array_equal(grad, np.ones((1, 4)))
    model[0].grad_b = np.broadcast_to(3.0, (1, 4))
    model.backward(x[:1], grad, accumulate=True)
    model[0].grad_b = np.broadcast_to(3.0, (1, 4))
    model.zero_grad()
    assert not model[0].grad_b.any()


def test_an_error_in_a_backward_with_a_shared_module_keeps_the_gradients():
    layer = pynet.Linear(4, 4)
    model = pynet.Sequential(layer, pynet.ReLU(), layer)
    model.backward(x, y)
    before = [g.copy() for g in model.grad_parameters()]
    with pytest.raises(pynet.ShapeError):
        model.backward(x, y[:, :3])
    np.testing.assert_equal(model.grad_parameters(), before)


def test_assigned_gradients_buffers_and_whole_numbers_take_the_layers_dtype():
    layer, norm = pynet.Linear(4, 3, dtype=np.float32), pynet.BatchNorm(3, dtype=np.float32)
    W = layer.W
    layer.grad_W = np.ones((3, 4))
    layer.b = [1, 2, 3]
    norm.running_mean = np.zeros(3)
    assert layer.W is W
    assert {a.dtype for a in (layer.W, layer.b, layer.grad_W, norm.weight, norm.running_mean)} == {np.dtype("f4")}
    norm.num_batches_tracked = 7
    assert norm.state_dict()["num_batches_tracked"] == 7


def test_astype_reaches_arrays_in_lists():
    class Listed(pynet.Module):
        def __init__(self):
            super().__init__()
            self.arrays, self.gradients = [np.ones(4)], [np.zeros(4)]

        def forward(self, input):
            return input * self.arrays[0]

        def backward(self, input, grad_output):
            self.gradients[0] = np.sum(input * grad_output, axis=0)
            return grad_output * self.arrays[0]

        def parameters(self):
            return self.arrays

        def grad_parameters(self):
            return self.gradients

    model = Listed().astype(np.float32)
    assert model.arrays[0].dtype == np.float32
    gradcheck(model, x)


def test_a_module_that_is_no_class_instance_of_its_own_is_taken_too():
    from types import SimpleNamespace

    double = SimpleNamespace(forward=lambda x: 2 * x, backward=lambda x, grad: 2 * grad)
    np.testing.assert_array_equal(pynet.Sequential(double).backward(x, y), 2 * y)


def test_a_module_with_slots_is_taken_too():
    class Slotted:
        __slots__ = ("b", "grad_b")

        def __init__(self):
            self.b = np.ones(4)

        def forward(self, input):
            return input + self.b

        def backward(self, input, grad_output):
            self.grad_b = grad_output.sum(axis=0)
            return grad_output

        def parameters(self):
            return [self.b]

        def grad_parameters(self):
            return [self.grad_b]

    model = pynet.Sequential(Slotted(), pynet.Linear(4, 4))
    gradcheck(model, x)
    model.backward(x, y)
    pynet.optim.SGD(model, 0.1).step()
    assert model.train().named_parameters()[0][0] == "0.0"


def test_a_container_with_a_dropout_that_stands_twice_uses_the_masks_of_each_place():
    inner = pynet.Sequential(pynet.Linear(4, 4), pynet.Dropout(0.5), pynet.Tanh())
    gradcheck(pynet.Sequential(inner, inner), x)
    lone = pynet.Sequential(pynet.Dropout(0.5))
    gradcheck(pynet.Sequential(lone, pynet.Linear(4, 4), lone), x)


def test_a_subclass_with_a_forward_of_its_own_is_computed_anew_by_it():
    class Residual(pynet.Sequential):
        def forward(self, input):
            return input + super().forward(input)

        def backward(self, input, grad_output, accumulate=False):
            return grad_output + super().backward(input, grad_output, accumulate)

    model = pynet.Sequential(Residual(pynet.Linear(4, 4)), pynet.Tanh(), pynet.Linear(4, 4))
    model.forward(x)
    np.testing.assert_array_equal(model.backward(x, y), model.backward(x.copy(), y))
    gradcheck(model, x)


def test_the_callers_gradient_is_never_written_into():
    layer = pynet.Linear(4, 4)
    for model in (pynet.Sequential(layer, Keeps(6)), pynet.Sequential(layer, layer, Keeps(6))):
        grad = y.copy()
        first = model.backward(x, grad)
        np.testing.assert_array_equal(model.backward(x, grad), first)
        model.backward(x, grad, accumulate=True)
        model.zero_grad()
        np.testing.assert_array_equal(grad, y)


def test_a_parent_may_list_its_childrens_parameters_before_it_has_gradients():
    class Parent:
        def __init__(self):
            self.W, self.lin = np.ones((4, 4)), pynet.Linear(4, 4)

        def forward(self, input):
            return self.lin.forward(input @ self.W.T)

        def backward(self, input, grad_output):
            inner = self.lin.backward(input @ self.W.T, grad_output)
            self.grad_W = inner.T @ input
            return inner @ self.W

        def parameters(self):
            return [self.W, *self.lin.parameters()]

        def grad_parameters(self):
            return [self.grad_W, *self.lin.grad_parameters()]

    model = pynet.Sequential(Parent())
    names = ["0.W", "0.lin.weight", "0.lin.bias"]
    assert [name for name, _ in model.named_parameters()] == names
    model.backward(x, y, accumulate=True)
    assert [name for name, _ in model.named_parameters()] == names
    gradcheck(model, x)


def test_a_child_may_be_called_output():
    class Net:
        def __init__(self):
            self.hidden, self.output = pynet.Linear(4, 4), pynet.Linear(4, 4)

        def forward(self, input):
            return self.output.forward(self.hidden.forward(input))

        def backward(self, input, grad_output):
            return self.hidden.backward(input, self.output.backward(self.hidden.forward(input), grad_output))

    gradcheck(pynet.Sequential(Net(), pynet.Tanh()), x)


def test_overriding_one_of_train_and_eval_is_enough():
    class OnlyEval(pynet.Module):
        def __init__(self):
            super().__init__()
            self.inner = pynet.Dropout()

        def eval(self):
            self.training = False

    class OnlyTrain(OnlyEval):
        eval = pynet.Module.eval

        def train(self):
            self.training = True

    for cls in (OnlyEval, OnlyTrain):
        model = pynet.Sequential(cls())
        assert not model.eval()[0].inner.training
        assert model.train()[0].inner.training


def test_astype_reaches_a_subclass_s_own_arrays():
    class Scaled(pynet.Linear):
        def __init__(self):
            super().__init__(4, 4)
            self.scale = np.ones(4)

    scaled = Scaled().astype(np.float32)
    assert scaled.scale.dtype == scaled.W.dtype == scaled.grad_b.dtype == np.float32


def test_help_is_readable():
    import inspect

    assert str(inspect.signature(pynet.Linear.forward)) == "(self, input: 'npt.ArrayLike') -> 'Array'"
