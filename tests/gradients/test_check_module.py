"""check_module: it passes what is right, and each of its rows finds the fault that it is there for."""

import pickle
import warnings

import numpy as np
import pytest
from own_layers import Scale, Shift, Softplus

import pynet
from pynet.testing import CheckError, check_module
from pynet.testing.checks import CHECKS

WIDTH = 3


class Good(Scale, pynet.Module):
    """x * w, to be spoilt in one way each."""

    def __init__(self):
        pynet.Module.__init__(self)
        Scale.__init__(self, WIDTH)


class ReturnsNothing(Good):
    def forward(self, input):
        self.output = input * self.w


class KeepsAnotherOutput(Good):
    def forward(self, input):
        self.output = input
        return input * self.w


class ListsCopies(Good):
    def parameters(self):
        return [self.w.copy()]


class ForgetsParameters:
    """As in the notebook, its gradient is there from the first backward on."""

    def __init__(self):
        self.w = np.linspace(0.5, 1.5, WIDTH)

    def forward(self, input):
        self.output = input * self.w
        return self.output

    def backward(self, input, grad_output):
        self.input, self.grad_input, self.grad_output = input, grad_output * self.w, grad_output
        self.grad_w = np.sum(grad_output * input, axis=0)
        return self.grad_input


class ForgetsTheOther(Good):
    """It has two parameters, and lists one."""

    def __init__(self):
        super().__init__()
        self.b, self.grad_b = np.ones(WIDTH), np.zeros(WIDTH)


class HoldsOneThatForgets(pynet.Module):
    def __init__(self):
        super().__init__()
        self.body = ForgetsParameters()

    def forward(self, input):
        self.output = self.body.forward(input)
        return self.output

    def backward(self, input, grad_output):
        return self.body.backward(input, grad_output)


class GradientOfAnotherShape(Good):
    def grad_parameters(self):
        return [self.grad_w[:1]]


class WrongDerivative(Good):
    def backward(self, input, grad_output):
        return 1.001 * super().backward(input, grad_output)


class WrongParameterDerivative(Good):
    def backward(self, input, grad_output):
        grad_input = super().backward(input, grad_output)
        self.grad_w = self.grad_w / len(input)
        return grad_input


class WrongInEvaluation(Good):
    def backward(self, input, grad_output):
        return super().backward(input, grad_output) * (1 if self.training else 2)


class ComputesInFloat64(Good):
    def forward(self, input):
        self.output = input * self.w * np.ones(WIDTH)
        return self.output


class TakesSizes(Good):
    def backward(self, input, grad_output):
        return super().backward(input, np.abs(grad_output))


class TakesSizesInFloat32(Good):
    def backward(self, input, grad_output):
        return super().backward(input, np.abs(grad_output) if input.dtype == np.float32 else grad_output)


class ReadsMemory(Good):
    def forward(self, input):
        self.output = np.ravel(input, "K").reshape(input.shape) * self.w
        return self.output


class WritesIntoInput(Good):
    def forward(self, input):
        input *= self.w
        self.output = input
        return input


class WritesIntoGradOutput(Good):
    def backward(self, input, grad_output):
        self.grad_w = np.sum(grad_output * input, axis=0)
        grad_output *= self.w
        return grad_output


class Learns(Good):
    def backward(self, input, grad_output):
        grad_input = super().backward(input, grad_output)
        self.w -= 0.1 * self.grad_w
        return grad_input


class AddsUp(Good):
    def backward(self, input, grad_output):
        self.grad_w = self.grad_w + np.sum(grad_output * input, axis=0)
        return grad_output * self.w


class IgnoresAccumulate(Good):
    def backward(self, input, grad_output, accumulate=False):
        return super().backward(input, grad_output)


class RemembersItsInput(Good):
    def forward(self, input):
        self.x = input
        return super().forward(input)

    def backward(self, input, grad_output):
        return super().backward(self.x, grad_output)


class CallsItsInputOutput(Good):
    """A Sequential gives a layer back the output that it returned."""

    def forward(self, input):
        self.output = input
        return input * self.w

    def backward(self, input, grad_output):
        return super().backward(self.output, grad_output)


class IsItsOwnCopy(Good):
    def __deepcopy__(self, memo):
        return self


class LosesItsWeights(Good):
    def __reduce__(self):
        return LosesItsWeights, (), {"w": np.ones(WIDTH)}


class ForgetsToSwitch(Good):
    def eval(self):
        return self


class AlwaysNoisy(Good):
    def forward(self, input):
        self.noise = np.random.normal(size=input.shape)
        self.output = input * self.w + self.noise
        return self.output


class CountsInEvaluation(Good):
    buffer_names = ("calls",)

    def __init__(self):
        super().__init__()
        self.calls = np.zeros(1)

    def forward(self, input):
        self.calls += 1
        return super().forward(input)


class HidesItsState(Good):
    """Centres by a running mean that is no buffer."""

    def __init__(self):
        super().__init__()
        self.mean = np.zeros(WIDTH)

    def forward(self, input):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * input.mean(axis=0)
            return super().forward(input)
        self.output = (input - self.mean) * self.w
        return self.output

    def backward(self, input, grad_output):
        return super().backward(input if self.training else input - self.mean, grad_output)


BROKEN = [
    (ReturnsNothing, "forward works", "forward must return an array, got NoneType"),
    (KeepsAnotherOutput, "output is kept", "not what forward returned"),
    (ListsCopies, "parameters have gradients", "copy"),
    (ForgetsParameters, "parameters have gradients", "ForgetsParameters has w and grad_w, but parameters() lists no w"),
    (ForgetsTheOther, "parameters have gradients", "ForgetsTheOther has b and grad_b, but parameters() lists no b"),
    (GradientOfAnotherShape, "parameters have gradients", r"expected shape (3,), got (1,)"),
    (WrongDerivative, "gradients, training", "(central difference), got"),
    (WrongParameterDerivative, "gradients, training", "w["),
    (WrongInEvaluation, "gradients, evaluation", "input["),
    (ComputesInFloat64, "float32 stays float32", "output: expected float32, got float64"),
    (ReadsMemory, "any memory layout", "input Fortran: output["),
    (TakesSizes, "gradients, training", "(central difference), got"),
    (TakesSizesInFloat32, "float32 stays float32", "grad_input differs by"),
    (WritesIntoInput, "inputs are unchanged", "written into: input["),
    (WritesIntoGradOutput, "inputs are unchanged", "written into: grad_output["),
    (WritesIntoInput, "any memory layout", "read-only"),
    (Learns, "parameters are unchanged", "moved: w["),
    (AddsUp, "gradients overwrite", "gradient of w["),
    (IgnoresAccumulate, "gradients accumulate", "gradient of w["),
    (RemembersItsInput, "backward at another input", "also inside a Sequential, gradient of w["),
    (CallsItsInputOutput, "inside a Sequential", "inside, gradient of w["),
    (IsItsOwnCopy, "copies compute the same", "shares w"),
    (LosesItsWeights, "pickles compute the same", "unpickled, output["),
    (ForgetsToSwitch, "evaluation changes nothing", "after eval(), training is True"),
    (AlwaysNoisy, "evaluation changes nothing", "forward twice in evaluation"),
    (CountsInEvaluation, "evaluation changes nothing", "has moved calls"),
    (HidesItsState, "state goes round", "after load_state_dict, output["),
    (
        HidesItsState,
        "state goes round",
        "; name the arrays that are state: buffer_names = ('mean',) in class HidesItsState",
    ),
]


@pytest.mark.parametrize(("make", "row", "text"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_each_fault_is_found_by_its_row(make, row, text):
    with pytest.raises(CheckError) as caught:
        check_module(make, (5, WIDTH))
    found = {failure.name: failure.text for failure in caught.value.report.failures}
    assert text in found[row]
    assert row in str(caught.value)
    assert str(caught.value).startswith(f"{make.__name__}() at an input of shape (5, 3): {len(found)} of ")


class Careless:
    """A plain class that broadcasts, keeps no output, wants rows, and mixes them."""

    def forward(self, input):
        if not len(input):
            raise ValueError("no rows")
        return input - input.mean(axis=0)

    def backward(self, input, grad_output):
        return grad_output - grad_output.mean(axis=0)


class Centred:
    """Whose mean over no rows makes NumPy warn."""

    def forward(self, input):
        self.output = input - input.mean(axis=0)
        return self.output

    def backward(self, input, grad_output):
        return grad_output - grad_output.mean(axis=0)


def test_no_warning_of_numpy_comes_out():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = check_module(Centred, (5, WIDTH))
    assert not caught
    assert {row.name: row.status for row in report.rows}["zero rows go through"] == "ok"


def test_what_one_can_live_without_is_a_note():
    class Local(Careless):
        pass

    report = check_module(Local, (5, WIDTH))
    assert {row.name for row in report.notes} == {
        "output is kept",
        "a wrong grad_output raises",
        "pickles compute the same",
        "zero rows go through",
        "rows one by one",
    }
    assert not report.failures
    assert [row.name for row in check_module(Softplus, (5, 3)).notes] == [
        "backward at another input",
        "a wrong grad_output raises",
    ]


@pytest.mark.parametrize("make", [Good, lambda: Scale(WIDTH), lambda: Shift(WIDTH), lambda: pynet.Linear(WIDTH, 2)])
def test_right_layers_pass_every_row(make):
    report = check_module(make, (5, WIDTH))
    assert [row.name for row in report.rows] == list(CHECKS)
    assert {row.name for row in report.notes} <= {"a wrong grad_output raises"}
    lines = repr(report).splitlines()
    assert lines[0].endswith("at an input of shape (5, 3)")
    assert len(lines) == 1 + len(CHECKS)
    assert all(line.startswith(("  ok    ", "  note  ")) for line in lines[1:])


def test_every_row_has_a_fault_that_it_finds():
    only_notes = {"a wrong grad_output raises", "zero rows go through", "rows one by one"}
    rows = {row for _, row, _ in BROKEN} | only_notes
    assert set(CHECKS) <= rows


def test_the_remedy_for_hidden_state_is_one():
    class NamesItsState(HidesItsState):
        buffer_names = ("mean",)

    assert not check_module(NamesItsState, (5, WIDTH)).failures


def test_forgotten_parameters_are_found_in_modules_that_it_holds():
    with pytest.raises(CheckError, match="ForgetsParameters has w and grad_w, but parameters"):
        check_module(HoldsOneThatForgets, (5, WIDTH))


class KeepsWhatItWasGiven(Good):
    """What is kept of a call is no parameter, whatever its name."""

    def backward(self, input, grad_output):
        self.input, self.grad_output = input, grad_output
        self.grad_input = super().backward(input, grad_output)
        return self.grad_input


def test_arrays_that_calls_leave_behind_are_not_taken_for_parameters():
    assert not check_module(KeepsWhatItWasGiven, (5, WIDTH)).failures


THE_SAME = pynet.ReLU()


class Log:
    def forward(self, input):
        self.output = np.log(input)
        return self.output

    def backward(self, input, grad_output):
        return grad_output / input


def test_an_array_is_the_input_itself():
    point = np.random.default_rng(0).uniform(1, 3, (4, 2))
    kept = point.copy()
    assert check_module(Log, point).title == "Log() at an input of shape (4, 2)"
    np.testing.assert_array_equal(point, kept)


def test_random_numbers_and_settings_stay_as_they_were():
    before = np.random.get_state()[1].tobytes()
    pynet.set_default_dtype(np.float32)
    assert not check_module(lambda: pynet.Sequential(pynet.Linear(4, 3), pynet.Dropout()), (5, 4)).notes
    with pytest.raises(CheckError):
        check_module(WrongDerivative, (5, WIDTH))
    assert np.random.get_state()[1].tobytes() == before
    assert pynet.get_default_dtype() == np.float32


@pytest.mark.parametrize(
    ("make", "shape", "error", "text"),
    [
        (pynet.ReLU(), (5, 3), TypeError, r"make must be a callable.*got a ReLU: write lambda: ReLU\(\.\.\.\)"),
        (3, (5, 3), TypeError, "make must be a callable that returns a new module, got int"),
        (dict, (5, 3), TypeError, "make must return a module with forward and backward, got dict"),
        (pynet.MSE, (5, 3), TypeError, "make must return a module with forward and backward, got MSE"),
        (lambda: THE_SAME, (5, 3), ValueError, "a new ReLU at each call, got the same one twice"),
        (pynet.ReLU, "ab", TypeError, "input_shape must be a tuple of ints, or an array, got 'ab'"),
        (pynet.ReLU, 5, TypeError, "input_shape must be a tuple of ints, or an array, got 5"),
        (pynet.ReLU, (5, -1), ValueError, "input_shape"),
        (pynet.ReLU, np.full((5, 3), "1"), TypeError, "input"),
    ],
)
def test_wrong_arguments_raise_and_say_what_to_write(make, shape, error, text):
    with pytest.raises(error, match=text):
        check_module(make, shape)


def test_the_error_travels_with_its_report():
    with pytest.raises(AssertionError) as caught:
        check_module(WrongDerivative, (5, WIDTH))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.report == caught.value.report
