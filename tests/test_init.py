"""Initial values: each function's distribution, what it refuses, and where its randomness comes from."""

import math

import numpy as np
import pytest

import pynet
from pynet import init


def filled(function, shape, *arguments, dtype=np.float64, **options):
    array = np.full(shape, np.nan, dtype)
    assert function(array, *arguments, **options) is array
    return array


# function, arguments, mean, standard deviation, and between which values all are
DISTRIBUTIONS = [
    (init.uniform_, (), 0.5, math.sqrt(1 / 12), (0, 1)),
    (init.uniform_, (-3, -1), -2, math.sqrt(4 / 12), (-3, -1)),
    (init.normal_, (), 0, 1, (-6, 6)),
    (init.normal_, (5, 0.1), 5, 0.1, (4, 6)),
    (init.trunc_normal_, (), 0, 0.8796, (-2, 2)),
    (init.trunc_normal_, (0, 1, 0, np.inf), math.sqrt(2 / math.pi), math.sqrt(1 - 2 / math.pi), (0, 6)),
    (init.trunc_normal_, (0, 1, 8, 9), 8.1213, 0.1176, (8, 9)),
    (init.trunc_normal_, (0, 1, -9, -8), -8.1213, 0.1176, (-9, -8)),
    # 300 rows, 200 columns
    (init.xavier_uniform_, (), 0, math.sqrt(2 / 500), (-math.sqrt(6 / 500), math.sqrt(6 / 500))),
    (init.xavier_uniform_, (2,), 0, 2 * math.sqrt(2 / 500), (-2 * math.sqrt(6 / 500), 2 * math.sqrt(6 / 500))),
    (init.xavier_normal_, (), 0, math.sqrt(2 / 500), (-1, 1)),
    (init.kaiming_uniform_, (), 0, math.sqrt(2 / 200), (-math.sqrt(6 / 200), math.sqrt(6 / 200))),
    (init.kaiming_uniform_, (math.sqrt(5),), 0, math.sqrt(1 / 600), (-math.sqrt(1 / 200), math.sqrt(1 / 200))),
    (init.kaiming_normal_, (0, "fan_out", "relu"), 0, math.sqrt(2 / 300), (-1, 1)),
    (init.kaiming_normal_, (0, "fan_in", "tanh"), 0, 5 / 3 / math.sqrt(200), (-2, 2)),
]


@pytest.mark.parametrize(("function", "arguments", "mean", "std", "between"), DISTRIBUTIONS)
def test_mean_deviation_and_range_are_as_stated(function, arguments, mean, std, between):
    array = filled(function, (300, 200), *arguments, seed=0)
    error = std / math.sqrt(array.size)
    assert abs(array.mean() - mean) < 4 * error + 1e-4 * abs(mean)
    assert array.std() == pytest.approx(std, rel=0.02)
    assert between[0] <= array.min() < array.max() <= between[1]


def test_axes_behind_the_second_multiply_both_fans():
    array = filled(init.kaiming_normal_, (40, 30, 5), seed=0)
    assert array.std() == pytest.approx(math.sqrt(2 / 150), rel=0.03)


def test_constants_fill():
    assert (filled(init.zeros_, (2, 3)) == 0).all()
    assert (filled(init.ones_, (2, 3)) == 1).all()
    assert (filled(init.constant_, (2,), 0.3) == 0.3).all()
    assert np.array_equal(filled(init.eye_, (2, 3)), [[1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (4, 2, 3)])
def test_the_rows_or_columns_of_orthogonal_are_orthonormal(shape):
    array = filled(init.orthogonal_, shape, 2.0, seed=0).reshape(shape[0], -1) / 2
    product = array @ array.T if len(array) <= array.shape[1] else array.T @ array
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


def test_orthogonal_turns_either_way():
    """Without the signs of R's diagonal, the first column would always point the same way."""
    firsts = [filled(init.orthogonal_, (2, 2), seed=seed)[0, 0] for seed in range(50)]
    assert 10 < sum(first > 0 for first in firsts) < 40


def test_sparse_leaves_the_share_of_every_column():
    array = filled(init.sparse_, (10, 400), 0.25, 2.0, seed=0)
    assert ((array == 0).sum(axis=0) == 3).all()
    assert array[array != 0].std() == pytest.approx(2, rel=0.05)


def test_gains_are_pytorchs():
    gains = {"linear": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": 2**0.5, "selu": 0.75}
    for name, gain in gains.items():
        assert init.calculate_gain(name) == pytest.approx(gain)
    assert init.calculate_gain("leaky_relu", 0.2) == pytest.approx(math.sqrt(2 / 1.04))
    assert init.calculate_gain("leaky_relu") == pytest.approx(math.sqrt(2 / 1.0001))


RANDOM = [init.uniform_, init.normal_, init.trunc_normal_, init.xavier_normal_, init.kaiming_uniform_, init.orthogonal_]


@pytest.mark.parametrize("function", RANDOM)
def test_randomness_is_numpys_or_the_seeds(function):
    np.random.seed(3)
    first = filled(function, (4, 5))
    np.random.seed(3)
    assert np.array_equal(filled(function, (4, 5)), first)
    before = np.random.get_state()[1].tobytes()
    assert np.array_equal(filled(function, (4, 5), seed=7), filled(function, (4, 5), seed=np.random.default_rng(7)))
    assert np.random.get_state()[1].tobytes() == before


def test_a_layers_array_is_written_in_place_in_its_own_dtype():
    layer = pynet.Linear(4, 3, dtype=np.float32)
    weight = layer.W
    init.kaiming_uniform_(layer.W, nonlinearity="relu", seed=0)
    assert layer.W is weight
    assert weight.dtype == np.float32
    np.testing.assert_allclose(layer.forward(np.eye(4)), weight.T + layer.b, rtol=1e-6)


@pytest.mark.parametrize("function", [init.xavier_uniform_, init.kaiming_normal_, init.orthogonal_])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_arrays_without_elements_stay_so(function, shape):
    assert filled(function, shape).shape == shape


# function, array, further arguments, error, what it says
WRONG = [
    (init.zeros_, [1.0, 2.0], (), TypeError, "array must be a NumPy array of floating numbers, got list"),
    (init.normal_, np.zeros(3, int), (), TypeError, "got an array of int64"),
    (init.uniform_, np.broadcast_to(0.0, (3,)), (), ValueError, "array is read-only"),
    (init.uniform_, np.zeros(3), (2, 1), ValueError, "a must not be above b, got a=2.0, b=1.0"),
    (init.uniform_, np.zeros(3), (0, np.inf), ValueError, "b must be finite"),
    (init.normal_, np.zeros(3), (0, -1), ValueError, "std must be finite and at least 0, got -1.0"),
    (init.trunc_normal_, np.zeros(3), (0, 1, 2, 2), ValueError, "a must be below b"),
    (init.trunc_normal_, np.zeros(3), (0, 0), ValueError, "std must be above 0"),
    (init.trunc_normal_, np.zeros(3), (0, 1, 50, 60), ValueError, "nothing of a normal distribution"),
    (init.eye_, np.zeros(3), (), pynet.ShapeError, r"array has shape \(3,\), expected 2 axes"),
    (init.sparse_, np.zeros((2, 2, 2)), (0.5,), pynet.ShapeError, "expected 2 axes"),
    (init.sparse_, np.zeros((2, 2)), (1.0,), ValueError, "sparsity must be at least 0 and less than 1"),
    (init.xavier_normal_, np.zeros(3), (), pynet.ShapeError, "at least 2 axes"),
    (init.xavier_normal_, np.zeros((2, 2)), (-1,), ValueError, "gain must be finite and at least 0"),
    (init.kaiming_normal_, np.zeros((2, 2)), (0, "fan"), ValueError, "mode must be one of 'fan_in', 'fan_out'"),
    (init.kaiming_normal_, np.zeros((2, 2)), (0, "fan_in", "gelu"), ValueError, "nonlinearity must be one of"),
]


@pytest.mark.parametrize(("function", "array", "arguments", "error", "text"), WRONG)
def test_wrong_arguments_raise_and_change_nothing(function, array, arguments, error, text):
    before, state = np.array(array), np.random.get_state()[1].tobytes()
    with pytest.raises(error, match=text):
        function(array, *arguments)
    assert np.array_equal(array, before)
    assert np.random.get_state()[1].tobytes() == state
