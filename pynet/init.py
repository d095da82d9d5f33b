"""Initial values for parameters, with PyTorch's names and distributions: each function fills an array in place."""

from __future__ import annotations

import math

import numpy as np

from .arrays import Array
from .checks import as_at_least_zero, as_choice, as_finite, as_fraction, as_number
from .errors import ShapeError
from .random import Randomness, Seed

__all__ = [
    "calculate_gain",
    "constant_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return by what a layer's weights are scaled so that the activation behind it keeps the variance.

    linear and sigmoid 1, tanh 5/3, relu √2, leaky_relu √(2 / (1 + slope²)), selu 3/4: PyTorch's values.

    Parameters
    ----------
    nonlinearity : str
        One of these names.
    param : float, optional
        The slope of leaky_relu, 0.01 unless given.

    Raises
    ------
    ValueError
        If the name is another one, or the slope not finite.
    """
    name = as_choice(nonlinearity, "nonlinearity", (*_GAINS, "leaky_relu"))
    if name != "leaky_relu":
        return _GAINS[name]
    slope = as_finite(0.01 if param is None else param, "param")
    return math.sqrt(2 / (1 + slope**2))


def constant_(array: Array, val: float) -> Array:
    """Fill with one value; return the array.

    Raises
    ------
    TypeError
        If ``array`` is no array of floating numbers; all functions here do.
    ValueError
        If it is read-only; likewise.
    """
    return _fill(array, as_number(val, "val"))


def zeros_(array: Array) -> Array:
    """Fill with 0; return the array."""
    return constant_(array, 0)


def ones_(array: Array) -> Array:
    """Fill with 1; return the array."""
    return constant_(array, 1)


def eye_(array: Array) -> Array:
    """Fill an array of two axes with the identity, which keeps as many inputs as it can; return it."""
    rows, columns = _two_axes(array)
    return _fill(array, np.eye(rows, columns))


def uniform_(array: Array, a: float = 0.0, b: float = 1.0, *, seed: Seed = None) -> Array:
    """Fill with draws from [a, b); return the array.

    Parameters
    ----------
    array : array
        Of floating numbers, any shape; written in place.
    a, b : float, default 0, 1
    seed : int or numpy.random.Generator, optional
        Where randomness comes from; NumPy's global generator unless given. All functions here that draw have it.

    Raises
    ------
    ValueError
        If a or b is not finite, or a above b.
    """
    a, b = as_finite(a, "a"), as_finite(b, "b")
    if a > b:
        raise ValueError(f"a must not be above b, got a={a}, b={b}")
    return _fill(array, (a + b) / 2 + Randomness(seed).uniform((b - a) / 2, _shape(array)))


def normal_(array: Array, mean: float = 0.0, std: float = 1.0, *, seed: Seed = None) -> Array:
    """Fill with draws from the normal distribution of this mean and standard deviation; return the array.

    Raises
    ------
    ValueError
        If the mean is not finite, or the deviation negative or not finite.
    """
    mean, std = as_finite(mean, "mean"), as_at_least_zero(std, "std")
    return _fill(array, mean + std * Randomness(seed).normal(_shape(array)))


def trunc_normal_(
    array: Array, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, seed: Seed = None
) -> Array:
    """Fill with draws from the normal distribution cut off at a and b, values and not deviations; return the array.

    Raises
    ------
    ValueError
        If the mean is not finite, the deviation not above 0, a not below b, or next to nothing of the distribution
        lies between them.

    Notes
    -----
    By the inverse of the distribution function: 0.1 s for 100,000 numbers.
    """
    from statistics import NormalDist

    mean, std, a, b = as_finite(mean, "mean"), as_at_least_zero(std, "std"), as_number(a, "a"), as_number(b, "b")
    if std == 0:
        raise ValueError("std must be above 0, got 0")
    if not a < b:
        raise ValueError(f"a must be below b, got a={a}, b={b}")
    # On the side of the mean where a probability near 1 does not round the tail away.
    sign = -1.0 if a > mean else 1.0
    distribution = NormalDist()
    low, high = sorted((sign * (a - mean) / std, sign * (b - mean) / std))
    below, above = distribution.cdf(low), distribution.cdf(high)
    if not above > below:
        raise ValueError(f"nothing of a normal distribution around {mean} with std {std} lies between {a} and {b}")
    drawn = (below + above) / 2 + Randomness(seed).uniform((above - below) / 2, _shape(array))
    drawn = np.clip(drawn, np.finfo(np.float64).tiny, 1 - 2.0**-53)
    deviations = np.array([distribution.inv_cdf(p) for p in drawn.ravel().tolist()]).reshape(drawn.shape)
    return _fill(array, np.clip(mean + sign * std * deviations, a, b))


def xavier_uniform_(array: Array, gain: float = 1.0, *, seed: Seed = None) -> Array:
    """Fill with draws from ±gain √(6 / (fan_in + fan_out)); return the array.

    Parameters
    ----------
    array : array (fan_out, fan_in, ...)
        Axes behind the second one multiply both.
    gain : float, default 1
        See `calculate_gain`.

    Raises
    ------
    ShapeError
        If the array has fewer than two axes.

    References
    ----------
    Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    """
    bound = math.sqrt(3) * _xavier_std(array, gain)
    return uniform_(array, -bound, bound, seed=seed)


def xavier_normal_(array: Array, gain: float = 1.0, *, seed: Seed = None) -> Array:
    """Fill with normal draws of deviation gain √(2 / (fan_in + fan_out)); as `xavier_uniform_` in the rest."""
    return normal_(array, 0, _xavier_std(array, gain), seed=seed)


def kaiming_uniform_(
    array: Array, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, seed: Seed = None
) -> Array:
    """Fill with draws from ±gain √(3 / fan); return the array.

    Parameters
    ----------
    array : array (fan_out, fan_in, ...)
        Axes behind the second one multiply both.
    a : float, default 0
        The slope of the leaky_relu that follows.
    mode : "fan_in" or "fan_out", default "fan_in"
        Whether the variance is kept forward or backward.
    nonlinearity : str, default "leaky_relu"
        See `calculate_gain`.

    Raises
    ------
    ShapeError
        If the array has fewer than two axes.
    ValueError
        If mode or nonlinearity is no such name.

    References
    ----------
    He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    bound = math.sqrt(3) * _kaiming_std(array, a, mode, nonlinearity)
    return uniform_(array, -bound, bound, seed=seed)


def kaiming_normal_(
    array: Array, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, seed: Seed = None
) -> Array:
    """Fill with normal draws of deviation gain / √fan; as `kaiming_uniform_` in the rest."""
    return normal_(array, 0, _kaiming_std(array, a, mode, nonlinearity), seed=seed)


def orthogonal_(array: Array, gain: float = 1.0, *, seed: Seed = None) -> Array:
    """Fill with gain times a random matrix whose rows, or columns if these are fewer, are orthonormal; return it.

    Parameters
    ----------
    array : array (rows, ...)
        Axes behind the first one count as one.
    gain : float, default 1

    Raises
    ------
    ShapeError
        If the array has fewer than two axes.

    References
    ----------
    Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    ICLR 2014.
    """
    gain = as_finite(gain, "gain")
    _fans(array)
    rows = len(array)
    columns = array.size // rows if rows else 0
    q, r = np.linalg.qr(Randomness(seed).normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diagonal(r))  # then every such matrix is as likely as any other
    return _fill(array, (gain * (q.T if rows < columns else q)).reshape(array.shape))


def sparse_(array: Array, sparsity: float, std: float = 0.01, *, seed: Seed = None) -> Array:
    """Fill an array of two axes with normal draws, and a share of every column with 0; return it.

    Parameters
    ----------
    array : array (rows, columns)
    sparsity : float
        The share, from 0 up to, but not, 1; of each column that many rows, rounded up, become 0.
    std : float, default 0.01
        The deviation of the rest.

    Raises
    ------
    ShapeError
        If the array does not have two axes.
    ValueError
        If the share or the deviation is out of range.

    References
    ----------
    Martens, "Deep learning via Hessian-free optimization", ICML 2010.
    """
    rows, columns = _two_axes(array)
    share, std = as_fraction(sparsity, "sparsity"), as_at_least_zero(std, "std")
    random = Randomness(seed)
    values = std * random.normal((rows, columns))
    for column in range(columns):
        values[random.permutation(rows)[: math.ceil(share * rows)], column] = 0
    return _fill(array, values)


def _fill(array: Array, values: float | Array) -> Array:
    _shape(array)
    array[...] = values
    return array


def _shape(array: Array) -> tuple[int, ...]:
    """Return the shape of an array that can be filled."""
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        got = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"array must be a NumPy array of floating numbers, got {got}")
    if not array.flags.writeable:
        raise ValueError("array is read-only")
    return array.shape


def _two_axes(array: Array) -> tuple[int, int]:
    shape = _shape(array)
    if len(shape) != 2:
        raise ShapeError(f"array has shape {shape}, expected 2 axes")
    return shape


def _fans(array: Array) -> tuple[int, int]:
    shape = _shape(array)
    if len(shape) < 2:
        raise ShapeError(f"array has shape {shape}, expected at least 2 axes (fan_out, fan_in)")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _xavier_std(array: Array, gain: float) -> float:
    return as_at_least_zero(gain, "gain") * math.sqrt(2 / max(sum(_fans(array)), 1))


def _kaiming_std(array: Array, a: float, mode: str, nonlinearity: str) -> float:
    fan_in, fan_out = _fans(array)
    fan = fan_in if as_choice(mode, "mode", ("fan_in", "fan_out")) == "fan_in" else fan_out
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))
