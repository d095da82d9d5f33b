"""trace_nan: it says nothing of what is finite, and names the first that is not."""

import numpy as np
import pytest
from test_users_modules import Block, NotebookLinear

import pynet
from pynet.inspection.tracing import trace_nan

x, y = np.random.default_rng(1).uniform(0.5, 2, size=(2, 6, 4))


class Log(pynet.Module):
    """Not finite at 0 and below, forward and backward."""

    def forward(self, input):
        return np.log(input)

    def backward(self, input, grad_output):
        return grad_output / np.asarray(input)


class Broken(NotebookLinear):
    """Has a wrong gradient for its weights."""

    def backward(self, input, grad_output):
        grad_input = super().backward(input, grad_output)
        self.grad_W[1, 2] = np.nan
        return grad_input


def network(*layers):
    return pynet.Sequential(pynet.Linear(4, 4), pynet.Dropout(), *layers, pynet.Linear(4, 3))


def put(array, *values):
    """A copy with values in its first row."""
    array = array.copy()
    array[0, : len(values)] = values
    return array


@pytest.mark.parametrize("layers", [(), (pynet.Tanh(), NotebookLinear(4, 4)), (Block(4),)])
def test_what_is_finite_has_no_report(layers):
    assert trace_nan(network(*layers), x) is None
    assert trace_nan(network(*layers), x, y[:, :3]) is None
    assert trace_nan(pynet.ReLU(), [[1, -2]]) is None


def sentence(model, *arguments):
    return str(trace_nan(model, *arguments))


def test_the_input_comes_first():
    model = network()
    model[0].W[0, 0] = np.nan
    assert sentence(model, put(x, 1, np.inf, np.nan)) == (
        "the input: 2 of 24 values are not finite, the first at [0, 1] is inf"
    )


def test_then_parameters_and_buffers_by_name():
    model = network(pynet.BatchNorm(4))
    model[2].running_var[3] = -np.inf
    assert sentence(model, x) == "buffer 2.running_var: 1 of 4 values are not finite, the first at [3] is -inf"
    model[3].W[2, 1] = np.nan
    assert sentence(model, x) == "parameter 3.weight: 1 of 12 values are not finite, the first at [2, 1] is nan"


def test_then_outputs_in_the_order_in_which_modules_run():
    model = pynet.Sequential(pynet.ReLU(), pynet.Sequential(Log(), pynet.Linear(4, 10)), pynet.SoftMax())
    report = trace_nan(model, put(x, -1, 2, 0))
    assert report == ("output", "1.0", "Log()", "", 2, 24, (0, 0), -np.inf, True)
    assert str(report) == (
        "layer 1.0, Log(): 2 of 24 outputs are not finite, the first at [0, 0] is -inf; its input was finite"
    )


def test_a_single_layer_has_no_place():
    layer = pynet.Linear(2, 1)
    layer.W[...] = 1e200
    assert sentence(layer, np.full((1, 2), 1e200)) == (
        "Linear(2, 1): 1 of 1 output is not finite, the first at [0, 0] is inf; its input was finite"
    )


def test_what_a_container_of_ones_own_spoils_between_its_layers_shows_in_the_input():
    class Spoils(Block):
        def forward(self, input):
            return self.rest[1].forward(self.rest[0].forward(input) * np.inf)

    report = trace_nan(pynet.Sequential(Spoils(4)), x)
    assert (report.place, report.given_finite) == ("0.rest.1", False)
    assert str(report).endswith("its input was not")


def test_an_error_after_the_first_nan_does_not_hide_it():
    class Strict(pynet.ReLU):
        def forward(self, input):
            if np.isnan(input).any():
                raise FloatingPointError("nan")
            return super().forward(input)

    assert trace_nan(pynet.Sequential(Log(), Strict()), put(x, -1)).place == "0"
    with pytest.raises(pynet.ShapeError):
        trace_nan(pynet.Linear(3, 2), x)


def test_going_backward_the_given_gradient_comes_first():
    assert trace_nan(network(), x, put(y[:, :3], np.nan)).kind == "grad_output"
    assert sentence(network(), x, put(y[:, :3], 1, np.nan)) == (
        "grad_output: 1 of 18 values are not finite, the first at [0, 1] is nan"
    )


def test_going_backward_grad_inputs_are_named_from_last_to_first():
    class Root(pynet.Module):
        def forward(self, input):
            return np.sqrt(input)

        def backward(self, input, grad_output):
            return grad_output / (2 * np.sqrt(input))

    model = pynet.Sequential(pynet.ReLU(), pynet.Sequential(Root(), pynet.Tanh()))
    assert trace_nan(model, put(x, 0, -1)) is None
    assert sentence(model, put(x, 0, -1), y[:, :4]) == (
        "grad_input of layer 1.0, Root(): 2 of 24 values are not finite, the first at [0, 0] is inf; "
        "its grad_output was finite"
    )


def test_going_backward_parameter_gradients_are_named():
    model = pynet.Sequential(pynet.Linear(4, 4), Broken(4, 3))
    report = trace_nan(model, x, y[:, :3])
    assert report[:8] == ("gradient", "1", "Broken()", "1.W", 1, 12, (1, 2), pytest.approx(np.nan, nan_ok=True))
    assert str(report).startswith("the gradient of 1.W in layer 1, Broken(): 1 of 12 values are not finite")
    assert trace_nan(model, x) is None
    assert trace_nan(model[1], x, y[:, :3]).name == "W"


def test_the_model_and_the_random_state_stay_as_they_were():
    model = network(pynet.BatchNorm(4), Log())
    output, state = model[0].forward(x), np.random.get_state()
    before = model.state_dict()
    gradients = [g.copy() for g in model.grad_parameters()]
    keys = [vars(layer).keys() for layer in model]
    assert trace_nan(model, x, y[:, :3]).layer == "Log()"
    np.testing.assert_equal(model.state_dict(), before)
    np.testing.assert_equal(model.grad_parameters(), gradients)
    np.testing.assert_equal(np.random.get_state(), state)
    assert model[0].output is output
    assert [vars(layer).keys() for layer in model] == keys


def test_modes_are_the_models():
    model = pynet.Sequential(pynet.Dropout(0.9), Log())
    assert trace_nan(model, x).layer == "Log()"
    assert trace_nan(model.eval(), x) is None
    with pytest.raises(TypeError, match="model must be a module"):
        trace_nan(pynet.MSE(), x)
