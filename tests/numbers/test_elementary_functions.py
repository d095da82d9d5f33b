"""Sigmoid and Tanh over the whole of float32: monotone, bounded, odd, and the same at every place of an array.

All 2^32 inputs of exp, log, tanh and sigmoid are a C++ test, tests/cpp/test_every_float.cpp.
"""

import numpy as np
import pytest

import pynet
from pynet.layers.elementwise import Elementwise

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)


def ascending(dtype, count=1_000_000):
    """Numbers of the whole range, in their order: bit patterns at equal distances, and all near +-0.69 and +-1."""
    bits = {np.float32: np.uint32, np.float64: np.uint64}[dtype]
    last = int(np.array(np.inf, dtype).view(bits))
    positive = np.linspace(0, last, count).astype(bits).view(dtype)
    near = [np.nextafter(dtype(x), dtype(np.inf)) for x in (0.69, 1.0, 8.0)]
    close = [(np.array(x, dtype).view(bits) + np.arange(1000).astype(bits) - bits(500)).view(dtype) for x in near]
    positive = np.sort(np.concatenate([positive, *close]))
    return np.concatenate([-positive[::-1], positive])


@each_dtype
@pytest.mark.parametrize("layer", [pynet.Sigmoid(), pynet.Tanh()], ids=repr)
def test_that_outputs_do_not_fall_where_inputs_rise(layer, dtype):
    """In float64, where not all inputs can be tried and nothing is promised, by one unit in the last place at most."""
    y = layer.forward(ascending(dtype))
    falls = -np.diff(y) / np.spacing(np.abs(y[1:]))
    assert falls.max() <= (0 if dtype == np.float32 else 1)
    assert (y[0], y[-1]) == ((-1, 1) if isinstance(layer, pynet.Tanh) else (0, 1))


@each_dtype
def test_that_tanh_is_odd_to_the_last_bit(dtype):
    x = ascending(dtype)
    assert pynet.Tanh().forward(-x).tobytes() == (-pynet.Tanh().forward(x)).tobytes()


@each_dtype
def test_that_sigmoid_of_zero_is_one_half_and_tanh_of_zero_keeps_its_sign(dtype):
    zeros = np.array([0.0, -0.0], dtype)
    assert pynet.Sigmoid().forward(zeros).tolist() == [0.5, 0.5]
    assert pynet.Tanh().forward(zeros).tobytes() == zeros.tobytes()


@each_dtype
@pytest.mark.parametrize(
    "layer", [*(cls() for cls in Elementwise.__subclasses__()), pynet.GELU("tanh"), pynet.PReLU()], ids=repr
)
def test_that_a_value_gives_the_same_bits_at_every_place(layer, dtype):
    random = np.random.default_rng(0)
    x, g = random.normal(size=(2, 131)).astype(dtype) * 5
    y, dx = layer.forward(x), layer.backward(x, g)
    for start in range(131):
        for end in {131, start + 1, min(131, start + 7)}:
            part = slice(start, end)
            assert layer.forward(x[part]).tobytes() == y[part].tobytes()
            assert layer.backward(x[part], g[part]).tobytes() == dx[part].tobytes()
