"""gradcheck: it accepts what is right, and names what is wrong."""

import copy

import numpy as np
import pytest

import pynet
from pynet.testing import gradcheck


class Square(pynet.Module):
    """x², with a gradient that can be spoilt."""

    def __init__(self, factor=2.0):
        super().__init__()
        self.factor = factor

    def forward(self, input):
        return np.square(input)

    def backward(self, input, grad_output):
        return self.factor * np.multiply(input, grad_output)


class Weighted(pynet.Linear):
    """A Linear whose parameter gradients are spoilt in one place."""

    def backward(self, input, grad_output, accumulate=False):
        grad_input = super().backward(input, grad_output, accumulate)
        self.grad_W[1, 2] *= 1.001
        return grad_input


x = np.random.default_rng(0).uniform(0.5, 2, (3, 4))


def test_right_gradients_are_counted():
    report = gradcheck(Square(), x)
    assert report.checked == 12
    assert report.worst_error < 1e-8
    assert report.worst.startswith("input[")


def test_a_wrong_input_gradient_is_named_with_its_index():
    with pytest.raises(pynet.GradientError, match=r"input\[\d, \d\]: expected .* \(central difference\), got"):
        gradcheck(Square(1.999), x)
    with pytest.raises(pynet.GradientError):
        gradcheck(Square(np.nan), x)


@pytest.mark.parametrize(
    ("spoil", "shape"),
    [
        (np.abs, (3, 4)),
        (np.abs, (1, 1)),
        (lambda g: np.maximum(g, 0), (3, 4)),
        (lambda g: np.maximum(g, 0), (1, 1)),
        (lambda g: np.minimum(g, 0), (1, 2)),
        (lambda g: np.clip(g, 0, 3.1), (3, 4)),
        (lambda g: np.clip(g, -3, 3), (3, 4)),
    ],
)
def test_a_backward_that_is_right_for_some_grad_output_alone_is_found(spoil, shape):
    class Spoilt(Square):
        def backward(self, input, grad_output):
            return super().backward(input, spoil(grad_output))

    with pytest.raises(pynet.GradientError, match=r"input\["):
        gradcheck(Spoilt(), np.linspace(0.5, 2, np.prod(shape)).reshape(shape))


def test_a_wrong_parameter_gradient_is_named_with_its_index():
    with pytest.raises(pynet.GradientError, match=r"weight\[1, 2\]"):
        gradcheck(Weighted(4, 3), x)


def test_a_gradient_of_another_shape_is_named():
    class Wrong(Square):
        def backward(self, input, grad_output):
            return np.ones(3)

    with pytest.raises(pynet.GradientError, match=r"shape \(3, 4\), got \(3,\)"):
        gradcheck(Wrong(), x)


def test_a_forgotten_return_is_named():
    class NoForward(Square):
        def forward(self, input):
            self.output = input

    class NoBackward(Square):
        def backward(self, input, grad_output):
            self.grad = grad_output

    for cls, method in ((NoForward, "forward"), (NoBackward, "backward")):
        with pytest.raises(TypeError, match=f"{method} must return an array, got NoneType"):
            gradcheck(cls(), x)


def test_no_tolerance_at_all_is_allowed():
    assert gradcheck(pynet.ReLU(), x, atol=1e-9, rtol=0).checked == 12
    with pytest.raises(pynet.GradientError):
        gradcheck(Square(), x, atol=0, rtol=0)


def test_a_kink_is_reported_as_such():
    point = np.array([[1.0, 0.0]])
    with pytest.raises(
        pynet.GradientError, match=r"input\[0, 1\].*kink, with slope 0 to its left and -?0\.\d+ to its right"
    ):
        gradcheck(pynet.ReLU(), point)


def test_a_wrong_criterion_is_caught():
    class Wrong(pynet.MSE):
        def backward(self, input, target):
            return -super().backward(input, target)

    with pytest.raises(pynet.GradientError):
        gradcheck(Wrong(), x, x + 1)


def test_the_module_and_the_random_state_stay_as_they_were():
    model = pynet.Sequential(
        pynet.Linear(4, 4), pynet.BatchNorm(4), pynet.Dropout(0.5), pynet.Dropout(0.2, seed=1)
    ).astype(np.float32)
    model.forward(x)
    before, output, random = copy.deepcopy(model), model.output, np.random.get_state()[1].copy()
    gradcheck(model, x.astype(np.float32))
    np.testing.assert_equal(model.state_dict(), before.state_dict())
    np.testing.assert_equal(model.grad_parameters(), before.grad_parameters())
    assert model.output is output
    np.testing.assert_array_equal(np.random.get_state()[1], random)
    np.testing.assert_array_equal(model[3].forward(x), before[3].forward(x))


def test_a_users_dropout_keeps_one_mask_while_it_is_checked():
    class Own(pynet.Module):
        def forward(self, input):
            self.mask = np.random.binomial(1, 0.5, input.shape)
            return input * self.mask

        def backward(self, input, grad_output):
            return grad_output * self.mask

    gradcheck(Own(), x)


def test_what_to_write_is_said():
    with pytest.raises(TypeError, match=r"gradcheck\(criterion, input, target\)"):
        gradcheck(pynet.MSE(), x)
    with pytest.raises(TypeError, match=r"gradcheck\(module, input\)"):
        gradcheck(pynet.ReLU(), x, x)
    with pytest.raises(TypeError, match="module or a criterion"):
        gradcheck(np.tanh, x)


def test_a_grad_output_of_ones_own_counts():
    class WrongInOneOutput(Square):
        def backward(self, input, grad_output):
            gradient = super().backward(input, grad_output)
            gradient[1, 2] *= 2
            return gradient

    only_right = np.ones((3, 4))
    only_right[1, 2] = 0
    assert gradcheck(WrongInOneOutput(), x, grad_output=only_right).checked == 12
    with pytest.raises(pynet.GradientError, match=r"input\[1, 2\]"):
        gradcheck(WrongInOneOutput(), x)
    with pytest.raises(pynet.ShapeError, match=r"grad_output has shape \(4, 3\), expected \(3, 4\)"):
        gradcheck(Square(), x, grad_output=only_right.T)
    with pytest.raises(TypeError, match="criterion, which has no grad_output"):
        gradcheck(pynet.MSE(), x, x, grad_output=only_right)


def test_a_module_that_writes_into_its_input_is_found():
    class SquaresInPlace(Square):
        def forward(self, input):
            return np.square(input, out=input).copy()

    with pytest.raises(pynet.GradientError, match=r"input\[.*expected"):
        gradcheck(SquaresInPlace(), x)
