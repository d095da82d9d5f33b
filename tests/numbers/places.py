"""One number that is not like the others, at every place of an array: what must come of it, and what must not."""

import numpy as np
import pytest

nan, inf = np.nan, np.inf
PLACES = range(131)
SIZE = len(PLACES)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)


def named(values):
    return pytest.mark.parametrize("make", values, ids=lambda make: repr(make()))


def numbers(dtype, *shape, seed=0):
    random = np.random.default_rng(seed)
    return (random.uniform(0.1, 2, shape) * random.choice([-1, 1], shape)).astype(dtype)


def with_one(array, place, value=nan):
    changed = array.copy()
    changed[place] = value
    return changed


def assert_spoilt(got, clean, spoilt):
    """NaN where it must be and nowhere else, the same bits everywhere else."""
    np.testing.assert_array_equal(np.isnan(got), np.broadcast_to(spoilt, np.shape(got)))
    assert np.array_equal(got[~np.isnan(got)], clean[~np.isnan(got)])


def only(place, size=SIZE):
    return np.arange(size) == place
