"""The weights of rows that every criterion takes: losses and gradients, and what criteria without them are told."""

import copy
from contextlib import suppress

import numpy as np
import pytest
from table import CRITERIA, Loss, name_of

import pynet
from pynet.testing import gradcheck

each_criterion = pytest.mark.parametrize("case", CRITERIA, ids=name_of)
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0, 3.0])


def losses_of(case: Loss):
    """What every row or number costs by the formula, and what their sum is divided by."""
    criterion, x, t = case.make(), case.input, case.target
    if not hasattr(criterion, "reduction"):
        return np.array([case.reference(criterion, x[n : n + 1], t[n : n + 1]) for n in range(len(x))]), len(x)
    unreduced = copy.copy(criterion)
    unreduced.reduction = "none"
    losses = case.reference(unreduced, x, t)
    whole = losses.sum() if criterion.reduction == "none" else case.reference(criterion, x, t)
    return losses, losses.sum() / whole


@each_criterion
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_that_a_row_costs_its_weight_times_what_it_costs_alone(case: Loss, dtype):
    criterion, weights = case.make(), WEIGHTS[: len(case.input)]
    losses, divisor = losses_of(case)
    weighted = losses * weights.reshape(-1, *[1] * (losses.ndim - 1))
    expected = weighted if getattr(criterion, "reduction", "") == "none" else weighted.sum() / divisor
    for some in (weights, weights.tolist(), weights.astype(np.longdouble)):
        found = criterion.forward(case.input.astype(dtype), case.target, some)
        tolerance = 1e-5 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.abs(weighted).max() / divisor)
        assert found.dtype == dtype
        np.testing.assert_array_equal(criterion(case.input.astype(dtype), case.target, some), found)


class Weighted(pynet.Criterion):
    """A criterion with weights of its own, to be checked like any other."""

    def __init__(self, criterion, weight):
        self.criterion, self.weight = criterion, weight

    def forward(self, input, target):
        return self.criterion.forward(input, target, self.weight)

    def backward(self, input, target):
        return self.criterion.backward(input, target, self.weight)


@each_criterion
def test_that_gradients_are_those_of_the_weighted_loss(case: Loss):
    weights = WEIGHTS[: len(case.input)]
    assert gradcheck(Weighted(case.make(), weights), case.input, case.target).checked == case.input.size
    gradient = case.make().backward(case.input, case.target, weights)
    assert not gradient[weights == 0].any()


@each_criterion
def test_that_weights_of_one_change_nothing(case: Loss):
    criterion, ones = case.make(), np.ones(len(case.input))
    np.testing.assert_allclose(
        criterion.forward(case.input, case.target, ones), criterion.forward(case.input, case.target), rtol=1e-14
    )
    np.testing.assert_array_equal(
        criterion.backward(case.input, case.target, ones), criterion.backward(case.input, case.target)
    )


@each_criterion
@pytest.mark.parametrize("number", [np.inf, np.finfo(np.float64).max, 5e-324])
def test_that_losses_of_rows_are_as_silent_as_a_kernel(case: Loss, number):
    x = np.where(np.arange(case.input.size).reshape(case.input.shape) % 2, -number, number)
    for at in (x, np.abs(x)):
        with np.errstate(all="raise"), suppress(ValueError):  # what is no probability
            case.make().row_losses(at, case.target)


def test_that_infinite_losses_of_rows_that_count_nothing_are_silent_too():
    class Infinite(pynet.Module):
        def forward(self, input):
            return np.full_like(input, np.inf)

        def backward(self, input, grad_output):
            return grad_output

    model = pynet.Sequential(pynet.Linear(3, 3), Infinite())
    step = pynet.compile_step(model, pynet.L1Loss(), pynet.optim.SGD(model, 0.1))
    with np.errstate(all="raise"):
        assert np.isnan(step(np.ones((2, 3)), np.ones((2, 3)), weight=[0, 1]))


@pytest.mark.parametrize("make", [pynet.MSELoss, pynet.CrossEntropy, pynet.CrossEntropyLoss])
def test_that_weights_too_large_for_float32_are_refused_without_a_warning(make):
    x = np.full((2, 3), 0.5, np.float32)
    with np.errstate(all="raise"), pytest.raises(ValueError, match="weight must be finite and not negative, got inf"):
        make()(x, x, np.array([1e300, 1]))


def test_that_weights_belong_to_rows_of_any_number_of_axes():
    x, t = np.random.default_rng(0).normal(size=(2, 2, 3, 4))
    each = pynet.HuberLoss("none").forward(x, t, [1.0, 3.0])
    np.testing.assert_array_equal(each, pynet.HuberLoss("none").forward(x, t) * np.array([1, 3])[:, None, None])
    quantiles = pynet.PinballLoss([0.1, 0.2, 0.5, 0.6], "none")
    each = quantiles.forward(x, t[:, :, 0], [1.0, 3.0])
    np.testing.assert_array_equal(each, quantiles.forward(x, t[:, :, 0]) * np.array([1, 3])[:, None, None])


def test_that_a_criterion_of_ones_own_needs_no_weights():
    class Own(pynet.Criterion):
        def forward(self, input, target):
            return np.float64(3.0)

        def backward(self, input, target):
            return np.zeros_like(input)

    assert Own()(np.ones(2), np.ones(2)) == 3
    with pytest.raises(TypeError, match="positional argument"):
        Own()(np.ones(2), np.ones(2), np.ones(2))
