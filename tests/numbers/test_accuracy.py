"""Every kernel's largest error stays below its limit; the table of larger samples is docs/accuracy.md."""

import numpy as np
import pytest
from exact import largest_error, long_double
from kernels_exactly import ALL

import pynet

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)


@each_dtype
@pytest.mark.parametrize("row", ALL, ids=lambda row: f"{row.kernel} of {row.inputs}")
def test_that_no_error_is_larger_than_its_limit(row, dtype):
    m = long_double(dtype)
    arrays = row.make(np.random.default_rng(0), 2000, dtype)
    numbers = [m.number(a) if a.dtype == dtype else a for a in arrays]
    scale = None if row.scale is None else row.scale(m, *numbers)
    got = row.pynet(*arrays)
    assert got.dtype == dtype
    assert largest_error(got, row.exact(m, *numbers), scale) <= row.limits[dtype == np.float64]


@each_dtype
@pytest.mark.parametrize("classes", [1, 2, 100, 10_000])
@pytest.mark.parametrize("scale", [1, 30])
def test_that_probabilities_are_within_0_and_1_and_add_up_to_1(scale, classes, dtype):
    x = (np.random.default_rng(0).normal(size=(20, classes)) * scale).astype(dtype)
    p = pynet.SoftMax().forward(x)
    assert ((p >= 0) & (p <= 1)).all()
    sums = p.astype(np.longdouble).sum(axis=1)
    assert np.abs(sums - 1).max() <= (2e-7 if dtype == np.float32 else 1e-15 * np.sqrt(classes))
