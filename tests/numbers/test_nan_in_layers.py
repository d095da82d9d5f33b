"""NaN never disappears in a layer, infinities and subnormals go where they must: every lane, forward and backward."""

import copy

import numpy as np
import pytest
from places import PLACES, SIZE, assert_spoilt, each_dtype, inf, named, nan, numbers, only, with_one

import pynet

# Without kinks, so that a NaN is one in the derivative as well.
SMOOTH = [
    pynet.Sigmoid,
    pynet.Tanh,
    pynet.GELU,
    lambda: pynet.GELU("tanh"),
    pynet.SiLU,
    pynet.Mish,
    pynet.Softplus,
    pynet.Softsign,
    pynet.LogSigmoid,
    pynet.ELU,
    pynet.SELU,
]
OPEN_ON_THE_RIGHT = [pynet.ReLU, pynet.LeakyReLU, pynet.PReLU, lambda: pynet.Dropout(0.0), pynet.Identity, *SMOOTH]
ELEMENTWISE = [*OPEN_ON_THE_RIGHT, pynet.Hardtanh, pynet.ReLU6, pynet.Hardsigmoid, pynet.Hardswish]


@each_dtype
@named(ELEMENTWISE)
def test_that_nan_comes_out_where_it_went_in(make, dtype):
    layer, x = make(), numbers(dtype, SIZE)
    clean = layer.forward(x)
    for place in PLACES:
        for end in {place + 1, SIZE}:  # in a tail, and in the middle
            assert_spoilt(layer.forward(with_one(x, place)[:end]), clean[:end], only(place, end))


@each_dtype
@named(OPEN_ON_THE_RIGHT)
def test_that_nan_in_a_gradient_stays_where_the_input_is_positive(make, dtype):
    layer, x, g = make(), np.abs(numbers(dtype, SIZE)), numbers(dtype, SIZE, seed=1)
    layer.forward(x)
    clean = layer.backward(x, g)
    for place in PLACES:
        assert_spoilt(layer.backward(x, with_one(g, place)), clean, only(place))


@each_dtype
@named(SMOOTH)
def test_that_the_derivative_at_nan_is_nan(make, dtype):
    layer, x, g = make(), numbers(dtype, SIZE), numbers(dtype, SIZE, seed=1)
    clean = layer.backward(x, g)
    for place in PLACES:
        assert_spoilt(layer.backward(with_one(x, place), g), clean, only(place))


@each_dtype
@named([pynet.ReLU, lambda: pynet.LeakyReLU(0.5)])
def test_that_gradients_are_selected_at_every_place(make, dtype):
    """An infinite or wrong gradient has no way through a closed ReLU, and at NaN it is what PyTorch's is."""
    layer, x = make(), np.ones(SIZE, dtype)
    slope = getattr(layer, "slope", 0)
    for place in PLACES:
        closed = layer.backward(with_one(x, place, -1), with_one(x, place, inf))
        np.testing.assert_array_equal(closed, with_one(x, place, inf if slope else 0))
        assert layer.backward(with_one(x, place), x)[place] == (slope or 1)


@each_dtype
@named([pynet.Hardtanh, pynet.ReLU6, pynet.Hardsigmoid, pynet.Hardswish])
def test_that_what_is_cut_off_lets_no_gradient_through_at_any_place(make, dtype):
    layer, x = make(), np.full(SIZE, 0.5, dtype)
    for place in PLACES:
        for value in (-7, -inf) if isinstance(layer, pynet.Hardswish) else (-7, -inf, 7, inf):
            closed = layer.backward(with_one(x, place, value), with_one(x, place, nan))
            assert closed[place] == 0
            assert not np.isnan(closed).any()


@each_dtype
def test_that_a_dropped_nan_is_zero_and_a_kept_one_stays(dtype):
    layer = pynet.Dropout(0.5, seed=0)
    layer.forward(np.ones(SIZE, dtype))
    for place in PLACES:
        y = layer.forward(with_one(np.ones(SIZE, dtype), place))
        np.testing.assert_array_equal(np.isnan(y), only(place) & layer.mask)
        np.testing.assert_array_equal(y[~layer.mask], 0)
        grad = layer.backward(y, with_one(np.ones(SIZE, dtype), place))
        np.testing.assert_array_equal(np.isnan(grad), only(place) & layer.mask)


# Input, and what comes out, at every place.
INFINITE = [
    (pynet.ReLU, inf, inf),
    (pynet.ReLU, -inf, 0),
    (pynet.LeakyReLU, inf, inf),
    (pynet.LeakyReLU, -inf, -inf),
    (lambda: pynet.LeakyReLU(0.0), -inf, nan),  # slope * x
    (pynet.Sigmoid, inf, 1),
    (pynet.Sigmoid, -inf, 0),
    (pynet.Tanh, inf, 1),
    (pynet.Tanh, -inf, -1),
    (lambda: pynet.Dropout(0.0), inf, inf),
    *((make, inf, inf) for make in (pynet.GELU, lambda: pynet.GELU("tanh"), pynet.SiLU, pynet.Mish, pynet.Hardswish)),
    *((make, -inf, 0) for make in (pynet.GELU, lambda: pynet.GELU("tanh"), pynet.SiLU, pynet.Mish, pynet.Hardswish)),
    *((make, inf, inf) for make in (pynet.ELU, pynet.SELU, pynet.Softplus, pynet.PReLU)),
    (lambda: pynet.ELU(0.5), -inf, -0.5),
    (pynet.Softplus, -inf, 0),
    (pynet.PReLU, -inf, -inf),
    (pynet.LogSigmoid, inf, 0),
    (pynet.LogSigmoid, -inf, -inf),
    (pynet.Softsign, inf, 1),
    (pynet.Softsign, -inf, -1),
    (pynet.Hardtanh, inf, 1),
    (pynet.Hardtanh, -inf, -1),
    (pynet.ReLU6, inf, 6),
    (pynet.ReLU6, -inf, 0),
    (pynet.Hardsigmoid, inf, 1),
    (pynet.Hardsigmoid, -inf, 0),
]


@each_dtype
@pytest.mark.parametrize(("make", "value", "expected"), INFINITE)
def test_that_infinities_give_what_the_formula_says(make, value, expected, dtype):
    layer, x = make(), numbers(dtype, SIZE)
    clean = layer.forward(x)
    for place in PLACES:
        np.testing.assert_array_equal(layer.forward(with_one(x, place, value)), with_one(clean, place, expected))


@each_dtype
def test_that_subnormals_and_signs_of_zero_stay(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    for place in PLACES:
        x = with_one(np.ones(SIZE, dtype), place, 3 * tiny)
        for layer in (pynet.ReLU(), pynet.LeakyReLU(), pynet.Tanh(), pynet.Dropout(0.0)):
            assert layer.forward(x)[place] == 3 * tiny
        assert pynet.LeakyReLU(0.5).forward(-2 * x)[place] == -3 * tiny
        assert np.signbit(pynet.LeakyReLU().forward(with_one(x, place, -0.0))[place])
        assert np.signbit(pynet.Tanh().forward(with_one(x, place, -0.0))[place])


# ----------------------------------------------------------------------------------------------------------- row by row


@each_dtype
@named([pynet.SoftMax, pynet.LogSoftMax])
@pytest.mark.parametrize("rows", [3, 20])  # one by one, and in the lanes of a vector
def test_that_nan_spoils_its_row_and_no_other(make, rows, dtype):
    layer = make()
    for place in PLACES:
        for classes in {place + 1, SIZE, max(place + 1, 17)}:
            x, g = numbers(dtype, rows, classes), numbers(dtype, rows, classes, seed=1)
            row = place % rows
            spoilt = only(row, rows)[:, None]
            assert_spoilt(layer.forward(with_one(x, (row, place))), layer.forward(x), spoilt)
            clean = layer.backward(x, g)
            assert_spoilt(layer.backward(with_one(x, (row, place)), g), clean, spoilt)
            assert_spoilt(layer.backward(x, with_one(g, (row, place))), clean, spoilt)


@each_dtype
@pytest.mark.parametrize("rows", [3, 20])
def test_that_infinite_scores_are_certain_or_impossible(rows, dtype):
    for place in PLACES:
        row = place % rows
        x, g = numbers(dtype, rows, SIZE), numbers(dtype, rows, SIZE, seed=1)
        impossible, infinite = with_one(x, (row, place), -inf), with_one(x, (row, place), inf)
        assert pynet.SoftMax().forward(impossible)[row, place] == 0
        assert pynet.SoftMax().backward(impossible, g)[row, place] == 0
        assert pynet.LogSoftMax().forward(impossible)[row, place] == -inf
        for layer in (pynet.SoftMax(), pynet.LogSoftMax()):
            assert np.isfinite(np.delete(layer.forward(impossible), place, axis=1)).all()
            assert np.isfinite(layer.backward(impossible, g)).all()
            assert_spoilt(layer.forward(infinite), layer.forward(x), only(row, rows)[:, None])


# ------------------------------------------------------------------------------------------------------ sums of columns


@each_dtype
@pytest.mark.parametrize("training", [True, False])
def test_that_nan_spoils_its_channel_in_batch_norm(training, dtype):
    layer = pynet.BatchNorm(SIZE, dtype=dtype).train(training)
    x, g = numbers(dtype, 5, SIZE), numbers(dtype, 5, SIZE, seed=1)
    clean, clean_grad = copy.deepcopy(layer).forward(x), layer.backward(x, g)
    statistics = layer.state_dict()
    for place in PLACES:
        row = place % 5
        column, spot = only(place)[None], only(row, 5)[:, None] & only(place)[None]
        layer.load_state_dict(statistics)
        assert_spoilt(layer.forward(with_one(x, (row, place))), clean, column if training else spot)
        if training:
            assert (np.isnan(layer.running_mean) == only(place)).all()
            assert (np.isnan(layer.running_var) == only(place)).all()
        layer.load_state_dict(statistics)
        grad = layer.backward(x, with_one(g, (row, place)))
        assert_spoilt(grad, clean_grad, column if training else spot)
        assert (np.isnan(layer.grad_weight) == only(place)).all()
        assert (np.isnan(layer.grad_bias) == only(place)).all()
        grad = layer.backward(with_one(x, (row, place)), g)
        assert_spoilt(grad, clean_grad, column if training else np.zeros((1, 1), bool))
        assert (np.isnan(layer.grad_weight) == only(place)).all()


@each_dtype
def test_that_nan_at_a_position_spoils_its_channel_in_batch_norm(dtype):
    layer, x = pynet.BatchNorm(3, dtype=dtype), numbers(dtype, 2, 3, SIZE)
    clean = layer.forward(x)
    for place in PLACES:
        assert_spoilt(layer.forward(with_one(x, (1, 1, place))), clean, only(1, 3)[None, :, None])


@each_dtype
def test_that_nan_goes_through_linear_as_through_numpys_products(dtype):
    """To a row of the output, a column of it, a row or a column of the gradients."""
    layer = pynet.Linear(SIZE, SIZE, dtype=dtype)
    x, g = numbers(dtype, 5, SIZE), numbers(dtype, 5, SIZE, seed=1)
    for place in PLACES:
        row = place % 5
        spot = only(row, 5)[:, None] & np.ones(SIZE, bool)
        assert (np.isnan(layer.forward(with_one(x, (row, place)))) == spot).all()
        assert (np.isnan(layer.backward(x, with_one(g, (row, place)))) == spot).all()
        assert (np.isnan(layer.grad_W) == only(place)[:, None]).all()
        assert (np.isnan(layer.grad_b) == only(place)).all()
        assert not np.isnan(layer.backward(with_one(x, (row, place)), g)).any()
        assert (np.isnan(layer.grad_W) == only(place)).all()
        spoilt = copy.deepcopy(layer)
        spoilt.W[place, SIZE - 1 - place] = nan
        assert (np.isnan(spoilt.forward(x)) == only(place)).all()
        assert (np.isnan(spoilt.backward(x, g)) == only(SIZE - 1 - place)).all()
        spoilt = copy.deepcopy(layer)
        spoilt.b[place] = nan
        assert (np.isnan(spoilt.forward(x)) == only(place)).all()
