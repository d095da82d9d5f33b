"""Norms keep their digits far from 0 and over many rows, a NaN spoils its own row alone, embeddings add up exactly."""

import math

import numpy as np
import pytest
from exact import largest_error

import pynet

UNIT = {np.float32: 2.0**-24, np.float64: 2.0**-53}
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)

# With the shape of a sample, and the axes of it that are normalised together once it is in that shape.
NORMS = [
    (lambda **options: pynet.LayerNorm(48, **options), (48,), True),
    (lambda **options: pynet.RMSNorm(48, eps=1e-5, **options), (48,), False),
    (lambda **options: pynet.GroupNorm(4, 48, **options), (4, 12), True),
]
each_norm = pytest.mark.parametrize(("make", "shape", "centred"), NORMS, ids=["LayerNorm", "RMSNorm", "GroupNorm"])


def exactly(layer, x, grad, shape, centred):
    """Output and gradient at the input in long double."""
    x, grad = x.astype(np.longdouble), (grad.astype(np.longdouble) * layer.weight)
    x, grad = x.reshape(len(x), *shape), grad.reshape(len(x), *shape)
    centre = x - x.mean(axis=-1, keepdims=True) if centred else x
    std = np.sqrt((centre**2).mean(axis=-1, keepdims=True) + np.longdouble(layer.eps))
    normal = centre / std
    y = normal.reshape(len(x), -1) * layer.weight + (layer.bias if centred else 0)
    mean = grad.mean(axis=-1, keepdims=True) if centred else 0
    dx = (grad - mean - normal * (grad * normal).mean(axis=-1, keepdims=True)) / std
    return y, dx.reshape(len(x), -1)


@each_dtype
@each_norm
@pytest.mark.parametrize("offset", [0, 1e4])
def test_that_norms_keep_their_digits_far_from_0(make, shape, centred, offset, dtype):
    random, layer = np.random.default_rng(0), make(dtype=dtype)
    for array in layer.parameters():
        array[...] = random.uniform(0.5, 1.5, 48)
    x, grad = (random.normal(size=(500, 48)) + offset).astype(dtype), random.normal(size=(500, 48)).astype(dtype)
    y, dx = exactly(layer, x, grad, shape, centred)
    # The result is rounded once; in float64 the sums are too, and the mean as numbers of the offset's size are.
    rounded = 1.01 if dtype == np.float32 else 30 * max(1, offset)
    assert largest_error(layer.forward(x), y, np.maximum(np.abs(y), 1)) <= rounded
    size = np.abs(dx).max() if centred else max(np.abs(dx).max(), np.abs(grad).max() / max(1, offset))
    assert largest_error(layer.backward(x, grad), dx, np.full(dx.shape, size)) <= rounded


@each_dtype
@each_norm
def test_that_gradients_of_weights_and_biases_keep_their_digits(make, shape, centred, dtype):
    rows, random, layer = 100_000, np.random.default_rng(0), make(dtype=dtype)
    x, grad = random.normal(size=(rows, 48)).astype(dtype), random.random(size=(rows, 48)).astype(dtype)
    layer.backward(x, grad)
    normal = layer.astype(np.float64).forward(x)
    for column in (0, 17, 47):
        terms = grad[:, column].astype(np.float64)
        if centred:
            assert abs(layer.grad_bias[column] - math.fsum(terms)) <= 4 * UNIT[dtype] * math.fsum(terms)
        terms = terms * normal[:, column]
        allowed = 4 * UNIT[dtype] * math.fsum(np.abs(terms))
        assert abs(layer.grad_weight[column] - math.fsum(terms)) <= allowed


@each_dtype
@each_norm
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_that_a_nan_spoils_its_own_row_alone(make, shape, centred, wrong, dtype):
    layer, random = make(dtype=dtype), np.random.default_rng(0)
    x, grad = random.normal(size=(7, 48)).astype(dtype), np.ones((7, 48), dtype)
    y, dx = layer.forward(x), layer.backward(x, grad)
    for place in (0, 5, 47):
        spoilt = x.copy()
        spoilt[3, place] = wrong
        for got, clean in ((layer.forward(spoilt), y), (layer.backward(spoilt, grad), dx)):
            np.testing.assert_array_equal(np.delete(got, 3, axis=0), np.delete(clean, 3, axis=0))
            own = got.reshape(7, *shape)[3]
            assert np.isnan(own[place // 12] if len(shape) > 1 else own).any()


@pytest.mark.parametrize("eps", [None, 1e-3])
def test_that_rms_norms_own_eps_is_that_of_the_dtype(eps):
    x = np.full((1, 4), 1e-5)
    for dtype in (np.float32, np.float64):
        expected = x / np.sqrt(x**2 + (np.finfo(dtype).eps if eps is None else eps))
        for affine in (True, False):
            layer = pynet.RMSNorm(4, eps, affine).astype(dtype)
            np.testing.assert_allclose(layer.forward(x.astype(dtype)), expected, rtol=1e-6)


@each_dtype
def test_that_gradients_of_an_index_that_stands_everywhere_keep_their_digits(dtype):
    rows = 300_000
    layer, grad = pynet.Embedding(3, 2, dtype=dtype), np.full((rows, 2), 0.1, dtype)
    indices = np.ones(rows, np.int64)
    indices[7] = 2
    layer.backward(indices, grad)
    one = float(grad[0, 0])
    exact = np.array([[0, 0], [math.fsum([one] * (rows - 1))] * 2, [one] * 2])
    assert np.abs(layer.grad_weight - exact).max() <= 4 * UNIT[dtype] * exact.max()


@each_dtype
def test_that_embeddings_have_the_same_bits_on_any_number_of_threads(dtype):
    random = np.random.default_rng(0)
    indices, grad = random.integers(0, 500, 20_000), random.normal(size=(20_000, 70)).astype(dtype)
    found = []
    for threads in (1, 2, 5):
        pynet.set_num_threads(threads)
        layer = pynet.Embedding(500, 70, dtype=dtype, seed=0)
        output = layer.forward(indices).tobytes()
        layer.backward(indices, grad)
        found.append((output, layer.grad_weight.tobytes()))
    assert found[0] == found[1] == found[2]
