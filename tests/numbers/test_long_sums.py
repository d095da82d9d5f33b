"""Long sums keep their digits: losses of ten million rows, bias gradients, statistics, and products of great depth."""

import math

import numpy as np
import pytest

import pynet

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
each_size = pytest.mark.parametrize("rows", [300_000, pytest.param(10_000_000, marks=pytest.mark.thorough)])
UNIT = {np.float32: 2.0**-24, np.float64: 2.0**-53}


def limit(rows, dtype):
    """Relative to the mean of so many positive terms: their own rounding, and in float64 that of a pairwise sum."""
    return UNIT[dtype] + 1e-15 * math.log2(rows)


def assert_no_drift(loss, terms, dtype):
    """The mean of terms that are given in float64."""
    exact = math.fsum(terms) / len(terms)
    assert abs(float(loss) - exact) <= limit(len(terms), dtype) * exact


@each_dtype
@each_size
@pytest.mark.parametrize("difference", [0.1, "random"])
def test_that_squared_errors_of_many_rows_do_not_drift(dtype, rows, difference):
    random = np.random.default_rng(0)
    x = np.full(rows, 0.1, dtype) if difference == 0.1 else random.normal(size=rows).astype(dtype)
    terms = x.astype(np.float64) ** 2
    for criterion in (pynet.MSE(), pynet.MSELoss()):
        assert_no_drift(criterion(x[:, None], np.zeros((rows, 1), dtype)), terms, dtype)


@each_dtype
@each_size
@pytest.mark.parametrize("labelled", [True, False], ids=["labels", "one-hot"])
def test_that_cross_entropies_of_many_equal_rows_do_not_drift(dtype, rows, labelled):
    """Rows that all have one loss, as those of a network at its start have."""
    p = np.tile(np.array([0.3, 0.7], dtype), (rows, 1))
    labels = np.ones(rows, np.int64)
    target = labels if labelled else np.tile(np.array([0, 1], dtype), (rows, 1))
    one = pynet.CrossEntropy()(p[:1], labels[:1])
    assert abs(float(pynet.CrossEntropy()(p, target)) - float(one)) <= limit(rows, dtype) * float(one)
    one = pynet.CrossEntropyLoss()(p[:1], labels[:1])
    assert abs(float(pynet.CrossEntropyLoss()(p, target)) - float(one)) <= limit(rows, dtype) * float(one)


@each_dtype
@pytest.mark.parametrize("rows", [100_000, pytest.param(1_000_000, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("draw", ["normal", "random", "equal"])
def test_that_gradients_of_biases_keep_their_digits(dtype, rows, draw):
    random = np.random.default_rng(0)
    g = np.full((rows, 3), 0.1, dtype) if draw == "equal" else getattr(random, draw)(size=(rows, 3)).astype(dtype)
    layer = pynet.Linear(1, 3, dtype=dtype)
    layer.backward(g[:, :1], g)
    for sum_of_column, column in zip(layer.grad_b, g.T.astype(np.float64), strict=True):
        assert abs(sum_of_column - math.fsum(column)) <= 4 * UNIT[dtype] * math.fsum(np.abs(column))


def test_that_batch_norm_adds_up_in_double():
    """In float32, a mean of 10,000.5 and a deviation of 0.5 over 100,000 rows would be gone."""
    x = np.tile(np.array([[10_000], [10_001]], np.float32), (50_000, 1))
    g = np.tile(np.array([[1], [1 + 2**-20]], np.float32), (50_000, 1))
    layer = pynet.BatchNorm(1, eps=0.0, momentum=1.0, dtype=np.float32)
    np.testing.assert_array_equal(layer.forward(x), np.tile([[-1], [1]], (50_000, 1)))
    assert layer.running_mean == np.float32(10_000.5)
    assert layer.running_var == np.float32(0.25 * 100_000 / 99_999)
    layer.backward(x, g)
    assert layer.grad_bias == np.float32(100_000 + 50_000 * 2.0**-20)
    assert layer.grad_weight == np.float32(50_000 * 2.0**-20)


# ------------------------------------------------------------------------------------------------------------- products

DEPTHS = [64, 1024, 8192, pytest.param(65536, marks=pytest.mark.thorough)]
each_draw = pytest.mark.parametrize("draw", ["normal", "random"])  # of both signs; of one, so that sums grow and grow


def product(x, w):
    """x wᵀ and |x||w|ᵀ, with more digits than x has."""
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    x, w = x.astype(wide), w.astype(wide)
    return x @ w.T, np.abs(x) @ np.abs(w).T


def assert_digits(got, exact, magnitudes, units):
    worst = np.max(np.abs(got - exact) / magnitudes) / UNIT[got.dtype.type]
    assert worst <= units, f"{worst:.1f} units"


def model_of(w):
    model = pynet.Sequential(pynet.Linear(w.shape[1], w.shape[0], bias=False, dtype=w.dtype))
    model[0].W = w
    return model


@each_dtype
@each_draw
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("rows", [1, 5, 130])  # each has its own way through a plan
def test_that_products_of_great_depth_keep_their_digits(rows, depth, draw, dtype):
    """As those of BLAS do; up to 1,024 products are added up in one chain, which of one sign costs some digits."""
    random = np.random.default_rng(depth)
    x, w = (getattr(random, draw)(size=(n, depth)).astype(dtype) for n in (rows, 7))
    exact = product(x, w)
    units = 4 if draw == "normal" else 16
    model = model_of(w)
    assert_digits(model.forward(x), *exact, units if draw == "normal" else 24)  # BLAS
    for freeze in (False, True):
        predict = pynet.compile_predict(model, freeze=freeze)
        assert_digits(predict(x), *exact, 40 if draw == "random" and depth == 1024 else units)
        assert predict.compiled


# Rows, inputs, outputs: the first is divided by rows of the batch, the other by columns of the weights.
@each_dtype
@each_draw
@pytest.mark.parametrize("shape", [(3000, 12, 40), (1500, 128, 4000)])
def test_that_gradients_of_many_rows_keep_their_digits(shape, draw, dtype):
    rows, inputs, outputs = shape
    random = np.random.default_rng(0)
    x, w = (getattr(random, draw)(size=(n, inputs)).astype(dtype) for n in (rows, outputs))
    model = model_of(w)
    step = pynet.compile_step(model, pynet.MSELoss("sum"), pynet.optim.SGD(model, 0.0))
    step(x, np.zeros((rows, outputs), dtype), gradients=True)
    assert step.compiled
    some = slice(None, None, outputs // 20)
    assert_digits(model[0].grad_W[some], *product(2 * step.output[:, some].T, x.T), 16)


@each_dtype
@each_draw
def test_that_gradients_of_many_outputs_keep_their_digits(draw, dtype):
    """The gradient at an input is a sum over outputs: that of a first layer's weights, where its input is 1 or 0."""
    rows, inputs, outputs = 130, 50, 9000
    random = np.random.default_rng(0)
    x, w = (getattr(random, draw)(size=(n, inputs)).astype(dtype) for n in (rows, outputs))
    model = pynet.Sequential(*model_of(np.ascontiguousarray(x.T)), *model_of(w))
    step = pynet.compile_step(model, pynet.MSELoss("sum"), pynet.optim.SGD(model, 0.0))
    step(np.eye(rows, dtype=dtype), np.zeros((rows, outputs), dtype), gradients=True)
    assert step.compiled
    assert_digits(model[0].grad_W.T[:, :5], *product(2 * step.output, w.T[:5]), 16)
