"""Modules that return what they should not, things that are no modules, and Sequentials inside themselves."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import pynet

X, LABELS = np.ones((5, 4)), np.array([0, 1, 2, 0, 1])


class Odd(pynet.Module):
    """A layer of somebody who has made a mistake."""

    def __init__(self, there=lambda x: x, back=lambda x, grad: grad):
        super().__init__()
        self._functions = there, back

    def forward(self, input):
        return self._functions[0](input)

    def backward(self, input, grad_output):
        return self._functions[1](input, grad_output)


def refuse(*arguments):
    raise KeyError("nothing to return")


NO_NUMBERS = {
    "None": (lambda *_: None, TypeError, "must return an array, got NoneType"),
    "a list": (lambda *_: [[1.0]], TypeError, "must return an array, got list"),
    "a float": (lambda *_: 1.0, TypeError, "must return an array, got float"),
    "a text": (lambda *_: "ab", TypeError, "must return an array, got str"),
    "a tuple of arrays": (lambda x, *_: (x, x), TypeError, "must return an array, got tuple"),
    "a class": (lambda *_: np.ndarray, TypeError, "must return an array"),
    "objects": (lambda x, *_: x.astype(object), TypeError, "must return an array of real numbers, got dtype object"),
    "texts": (lambda x, *_: x.astype("U3"), TypeError, "must return an array of real numbers, got dtype <U3"),
    "complex numbers": (lambda x, *_: x + 1j, TypeError, "must return an array of real numbers, got dtype complex128"),
    "an error": (refuse, KeyError, "nothing to return"),
}
WRONG_GRADIENTS = NO_NUMBERS | {
    "the gradient of another batch": (lambda x, grad: grad[1:], pynet.ShapeError, r"\(5, 6\), got \(4, 6\)"),
    "one number": (lambda x, grad: grad.sum(keepdims=True), pynet.ShapeError, r"\(5, 6\), got \(1, 1\)"),
    "a scalar": (lambda x, grad: grad.sum(), pynet.ShapeError, r"\(5, 6\), got \(\)"),
    "transposed": (lambda x, grad: grad.T, pynet.ShapeError, r"\(5, 6\), got \(6, 5\)"),
    "one row": (lambda x, grad: grad[:1], pynet.ShapeError, r"\(5, 6\), got \(1, 6\)"),
}


def network(odd):
    return pynet.Sequential(pynet.Linear(4, 6, seed=0), odd, pynet.Linear(6, 3, seed=1))


def by_hand(model):
    output = model.forward(X)
    model.backward(X, np.ones_like(output))


def at_another_input(model):
    model.backward(2 * X, np.ones((5, 3)))


def compiled(model):
    pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.1))(X, LABELS)


def trained(model):
    pynet.Trainer(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.1)).fit(X, LABELS, 1)


def nested(model):
    by_hand(pynet.Sequential(model, pynet.Tanh()))


each_way = pytest.mark.parametrize("run", [by_hand, at_another_input, compiled, trained, nested])


def expect(run, model, error, text, place="in layer 1 of Sequential: Odd()"):
    before = model.state_dict()
    with pytest.raises(error, match=text) as caught:
        run(model)
    assert caught.type is error
    assert caught.value.__notes__[0] == place
    assert all(array.tobytes() == before[name].tobytes() for name, array in model.state_dict().items())


@each_way
@pytest.mark.parametrize("what", NO_NUMBERS)
def test_a_wrong_output_is_an_error_that_names_the_layer(run, what):
    forward, error, text = NO_NUMBERS[what]
    expect(run, network(Odd(there=forward)), error, text)


@each_way
@pytest.mark.parametrize("what", WRONG_GRADIENTS)
def test_a_wrong_gradient_is_an_error_that_names_the_layer(run, what):
    backward, error, text = WRONG_GRADIENTS[what]
    expect(run, network(Odd(back=lambda x, grad: backward(grad, grad))), error, text)


@each_way
def test_an_output_of_another_shape_is_an_error_that_names_the_layer_that_gets_it(run):
    model = network(Odd(there=lambda x: x[:, 1:]))
    text = r"Linear\(6, 3\): input has 5 features, expected 6"
    expect(run, model, pynet.ShapeError, text, "in layer 2 of Sequential: Linear(6, 3)")


@each_way
@pytest.mark.parametrize("what", [None, 5, "relu", pynet.ReLU, np.ones(3), pynet.MSE()])
def test_what_is_no_module_among_the_layers_is_named(run, what):
    model = network(Odd())
    model.layers[1] = what
    with pytest.raises(TypeError, match="layer 1 of Sequential must be a module"):
        run(model)


def test_a_broken_repr_hides_no_error():
    class Shy(Odd):
        def __repr__(self):
            raise OSError("no")

    with pytest.raises(KeyError) as caught:
        network(Shy(there=refuse)).forward(X)
    assert caught.value.__notes__ == ["in layer 1 of Sequential: Shy"]


@pytest.mark.parametrize("returned", [None, 5, "weights", [1.0], [np.ones(2), None], {"W": 1}])
@pytest.mark.parametrize("method", ["parameters", "grad_parameters"])
def test_parameters_that_are_no_arrays_are_an_error_that_names_the_module(method, returned):
    odd = Odd()
    own = {"parameters": lambda self: [np.ones(2)], "grad_parameters": lambda self: [np.ones(2)]}
    odd.__class__ = type("Odd", (Odd,), own | {method: lambda self: returned})
    for call in (odd.state_dict if method == "parameters" else pynet.optim.SGD(odd, 0.1).step, network(odd).zero_grad):
        with pytest.raises(TypeError, match=rf"{method}\(\) of Odd\(.*must return arrays, got"):
            call()


# ------------------------------------------------------------------------------------------------ inside itself


class Holder(Odd):
    """Holds another module."""

    def __init__(self, held):
        super().__init__()
        self.held = held

    def forward(self, input):
        return self.held.forward(input)


def directly():
    model = pynet.Sequential(pynet.Linear(4, 4, seed=0))
    model.layers.append(model)
    return model


def in_a_child():
    inner = pynet.Sequential(pynet.Linear(4, 4, seed=0))
    model = pynet.Sequential(pynet.Tanh(), inner)
    inner.layers.append(model)
    return model


def by_an_attribute():
    model = pynet.Sequential(pynet.Linear(4, 4, seed=0))
    model.layers.append(Holder(model))
    return model


def in_a_list_of_a_plain_object():
    model = pynet.Sequential(pynet.Linear(4, 4, seed=0))
    model.layers.append(SimpleNamespace(parts=[[model]], forward=lambda x: x, backward=lambda x, g: g))
    return model


each_cycle = pytest.mark.parametrize("make", [directly, in_a_child, by_an_attribute, in_a_list_of_a_plain_object])


@pytest.mark.parametrize("make", [directly, in_a_child])
@pytest.mark.parametrize(
    "run",
    [
        by_hand,
        at_another_input,
        compiled,
        trained,
        lambda model: pynet.compile_predict(model)(X),
        lambda model: pynet.summary(model, 4),
        lambda model: pynet.trace_nan(model, X),
        lambda model: pynet.testing.gradcheck(model, X),
    ],
)
def test_a_sequential_inside_itself_is_an_error_that_names_the_place(make, run):
    with pytest.raises(ValueError, match="layer 1 of Sequential contains this Sequential itself"):
        run(make())


@pytest.mark.parametrize("run", [by_hand, at_another_input, compiled, trained])
def test_a_module_of_a_user_that_calls_the_sequential_it_stands_in_ends_in_a_recursion_error(run):
    with pytest.raises(RecursionError) as caught:
        run(by_an_attribute())
    assert caught.value.__notes__[-1] == "in layer 1 of Sequential: Holder(...)"


@pytest.mark.parametrize("run", [by_hand, at_another_input, compiled, trained])
def test_a_module_may_know_the_sequential_that_it_stands_in(run):
    model = in_a_list_of_a_plain_object()
    model.layers.append(pynet.Linear(4, 3, seed=1))
    run(model)


@each_cycle
def test_a_sequential_inside_itself_can_be_looked_at(make):
    model = make()
    assert len(model.parameters()) == 2
    assert list(model.state_dict()) == [name for name, _ in model.named_parameters()]
    assert not model.eval().training
    assert model.train().training
    model.zero_grad()
    assert model.astype(np.float32).parameters()[0].dtype == np.float32
    assert "..." in repr(model) or make is in_a_list_of_a_plain_object
    assert len(copy.deepcopy(model).parameters()) == 2


@pytest.mark.parametrize("make", [directly, in_a_child])
def test_a_sequential_inside_itself_can_be_pickled_but_not_saved(make, tmp_path):
    model = make()
    assert len(pickle.loads(pickle.dumps(model)).parameters()) == 2
    with pytest.raises(ValueError, match="Sequential contains itself"):
        pynet.save(model, tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []


@each_cycle
def test_appending_a_sequential_to_itself_is_refused(make):
    model = make()
    outer = pynet.Sequential(model)
    with pytest.raises(ValueError, match="layer 2 of Sequential contains this Sequential itself"):
        model.append(outer)
    assert len(model) == 2
