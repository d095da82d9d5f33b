"""NaN never disappears in a loss, an optimizer, a compiled step or prediction: in every lane."""

import numpy as np
import pytest
from places import PLACES, SIZE, assert_spoilt, each_dtype, named, nan, numbers, only, with_one

import pynet


@each_dtype
@named(
    [
        pynet.MSE,
        pynet.MSELoss,
        lambda: pynet.MSELoss("sum"),
        pynet.CrossEntropy,
        pynet.CrossEntropyLoss,
        pynet.L1Loss,
        pynet.SmoothL1Loss,
        pynet.HuberLoss,
        pynet.BCEWithLogitsLoss,
        lambda: pynet.PoissonNLLLoss(full=True),
        lambda: pynet.PoissonNLLLoss(False),
    ]
)
@pytest.mark.parametrize("where", ["input", "target"])
def test_that_nan_anywhere_makes_the_loss_nan(make, where, dtype):
    criterion, x, t = make(), np.abs(numbers(dtype, 3, SIZE)), np.abs(numbers(dtype, 3, SIZE, seed=1))
    clean = criterion.backward(x, t)
    for place in PLACES:
        row = place % 3
        spoilt = (with_one(x, (row, place)), t) if where == "input" else (x, with_one(t, (row, place)))
        assert np.isnan(criterion.forward(*spoilt))
        whole_row = isinstance(criterion, pynet.CrossEntropyLoss)
        spot = only(row, 3)[:, None] & (np.ones(SIZE, bool) if whole_row else only(place))
        assert_spoilt(criterion.backward(*spoilt), clean, spot)


@each_dtype
@pytest.mark.parametrize("rows", [3, 20])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_that_nan_spoils_the_loss_of_a_labelled_row(smoothing, rows, dtype):
    criterion = pynet.CrossEntropyLoss(reduction="none", label_smoothing=smoothing)
    x, y = numbers(dtype, rows, SIZE), np.arange(rows) * 5
    clean, clean_grad = criterion.forward(x, y), criterion.backward(x, y)
    for place in PLACES:
        row = place % rows
        spoilt = with_one(x, (row, place))
        assert_spoilt(criterion.forward(spoilt, y), clean, only(row, rows))
        assert_spoilt(criterion.backward(spoilt, y), clean_grad, only(row, rows)[:, None])


@each_dtype
def test_that_nan_at_the_label_makes_the_notebooks_loss_nan(dtype):
    for place in PLACES:
        p, y = np.full((3, SIZE), 0.5, dtype), np.array([0, place, SIZE - 1])
        p[1, place] = nan
        assert np.isnan(pynet.CrossEntropy().forward(p, y))
        assert np.isnan(pynet.CrossEntropy().backward(p, y)[1, place])


# ---------------------------------------------------------------------------------------- optimizers and compiled steps


class Parameter(pynet.Module):
    """An array to move."""

    def __init__(self, dtype):
        super().__init__()
        self.p, self.grad_p = numbers(dtype, SIZE), numbers(dtype, SIZE, seed=1)

    def parameters(self):
        return [self.p]

    def grad_parameters(self):
        return [self.grad_p]


OPTIMIZERS = [
    lambda module: pynet.optim.SGD(module, 0.1),
    lambda module: pynet.optim.SGD(module, 0.1, momentum=0.9),
    lambda module: pynet.optim.SGD(module, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    lambda module: pynet.optim.Adam(module, 0.1),
    lambda module: pynet.optim.AdamW(module, 0.1),
]


@each_dtype
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_that_nan_in_a_gradient_moves_its_parameter_to_nan(make, dtype):
    clean = Parameter(dtype)
    make(clean).step()
    for place in PLACES:
        module = Parameter(dtype)
        module.grad_p[place] = nan
        make(module).step()
        assert_spoilt(module.p, clean.p, only(place))


@each_dtype
def test_that_clipping_does_not_hide_nan(dtype):
    for place in PLACES:
        module = Parameter(dtype)
        module.grad_p[place] = nan
        pynet.optim.clip_grad_value_(module, 0.5)
        assert (np.isnan(module.grad_p) == only(place)).all()
        assert np.isnan(pynet.optim.clip_grad_norm_(module, 0.5))


def network(dtype):
    return pynet.Sequential(
        pynet.Linear(SIZE, 37, dtype=dtype, seed=0),
        pynet.ReLU(),
        pynet.BatchNorm(37, dtype=dtype),
        pynet.Linear(37, 19, dtype=dtype, seed=1),
        pynet.Tanh(),
        pynet.Linear(19, 7, dtype=dtype, seed=2),
    )


@each_dtype
@pytest.mark.parametrize("rows", [1, 6, 140])  # three ways to divide the work
@pytest.mark.parametrize("freeze", [False, True])
def test_that_nan_in_a_row_spoils_that_rows_prediction(freeze, rows, dtype):
    predict, x = pynet.compile_predict(network(dtype), freeze=freeze), numbers(dtype, rows, SIZE)
    assert predict.compiled
    clean = predict(x)
    for place in PLACES:
        row = place % rows
        assert_spoilt(predict(with_one(x, (row, place))), clean, only(row, rows)[:, None])


def relu_network(dtype):
    return pynet.Sequential(
        pynet.Linear(SIZE, 37, dtype=dtype, seed=0), pynet.ReLU(), pynet.Linear(37, SIZE, dtype=dtype, seed=1)
    )


@each_dtype
@pytest.mark.parametrize("rows", [1, 6, 140])
@pytest.mark.parametrize("make", [network, relu_network])
def test_that_nan_spreads_in_a_compiled_step_as_in_numpys_products(make, rows, dtype):
    """NaN in the input, the target or a weight: the loss is NaN, and so is every parameter that it reaches."""
    if rows == 1 and make is network:
        return  # BatchNorm of one row has no variance
    for where, step_between in (("input", 1), ("target", 13), ("weight", 13)):
        for place in PLACES[:: step_between if rows == 6 else 13]:
            models = make(dtype), make(dtype)
            x, y = numbers(dtype, rows, SIZE), numbers(dtype, rows, models[0][-1].W.shape[0], seed=1)
            if where == "input":
                x[place % rows, place] = nan
            elif where == "target":
                y[place % rows, place % y.shape[1]] = nan
            else:
                for model in models:
                    model[0].W[place % 37, place] = nan
            criterion, optimizers = pynet.MSELoss(), [pynet.optim.SGD(model, 0.1) for model in models]
            step = pynet.compile_step(models[0], criterion, optimizers[0])
            assert np.isnan(step(x, y))
            assert step.compiled
            output = models[1].forward(x)
            assert np.isnan(criterion.forward(output, y))
            models[1].backward(x, criterion.backward(output, y))
            optimizers[1].step()
            np.testing.assert_array_equal(np.isnan(step.output), np.isnan(output))
            for got, expected in zip(models[0].parameters(), models[1].parameters(), strict=True):
                np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
