"""A NaN spoils its own row of a norm alone, RMSNorm's eps is its dtype's, embeddings are the same on any threads.

How exact they are, far from 0 and over many rows too, is in kernels_exactly/norms.py and embedding.py.
"""

import numpy as np
import pytest

import pynet

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)

# With the shape of a sample, whose last axis is normalised together.
NORMS = [
    (lambda **options: pynet.LayerNorm(48, **options), (48,)),
    (lambda **options: pynet.RMSNorm(48, eps=1e-5, **options), (48,)),
    (lambda **options: pynet.GroupNorm(4, 48, **options), (4, 12)),
]
each_norm = pytest.mark.parametrize(("make", "shape"), NORMS, ids=["LayerNorm", "RMSNorm", "GroupNorm"])


@each_dtype
@each_norm
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_that_a_nan_spoils_its_own_row_alone(make, shape, wrong, dtype):
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
