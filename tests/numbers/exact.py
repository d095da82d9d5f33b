"""Exact arithmetic to compare with: long double, or mpmath with 120 bits; and errors in units of the last place."""

from types import SimpleNamespace

import numpy as np

NAMES = ("exp", "log", "log1p", "expm1", "tanh", "sqrt")
_PI = "3.14159265358979323846264338327950288"


def long_double(dtype=np.float64):
    """Functions of NumPy's long double, with 11 bits more than float64 has; tiny: the smallest normal dtype."""
    tiny = np.longdouble(np.finfo(dtype).tiny)
    functions = {name: getattr(np, name) for name in NAMES}
    functions |= {"erfc": erfc, "pi": np.longdouble(_PI)}
    return SimpleNamespace(number=lambda a: np.asarray(a).astype(np.longdouble), tiny=tiny, **functions)


def erfc(x):
    """The complementary error function of long doubles: a series of positive terms below 1, from there a fraction."""
    a = np.abs(x)
    density = np.exp(-a * a) / np.sqrt(np.longdouble(_PI))
    near, far = np.minimum(a, 1), np.maximum(a, 1)
    term = total = 2 * near
    for n in range(1, 60):
        term = term * 2 * near * near / (2 * n + 1)
        total = total + term
    fraction = far
    for n in range(600, 0, -1):
        fraction = far + n / (2 * fraction)
    tail = np.where(a < 1, 1 - density * total, density / fraction)
    return np.where(x < 0, 2 - tail, tail)


def many_digits(dtype=np.float64, bits=120):
    """The same of mpmath, on arrays of its numbers."""
    import mpmath

    mpmath.mp.prec = bits
    tiny = mpmath.mpf(float(np.finfo(dtype).tiny))
    functions = {name: np.frompyfunc(getattr(mpmath, name), 1, 1) for name in NAMES}
    functions |= {"erfc": np.frompyfunc(mpmath.erfc, 1, 1), "pi": mpmath.pi + 0}
    number = np.frompyfunc(lambda x: mpmath.mpf(float(x)), 1, 1)
    return SimpleNamespace(number=lambda a: np.asarray(number(a), dtype=object), tiny=tiny, **functions)


def distance(got, exact):
    """|got - exact| as float64, without loss where exact has more digits."""
    if exact.dtype == object:
        return np.abs(many_digits().number(got) - exact).astype(np.float64)
    return np.abs(got.astype(exact.dtype) - exact).astype(np.float64)


def largest_error(got, exact, scale=None):
    """Return the largest error in ULP of the correctly rounded result, or in units of 2^-24 or 2^-53 of a scale."""
    got, exact = np.asarray(got), np.asarray(exact)
    assert got.shape == exact.shape
    nearest = exact.astype(np.float64).astype(got.dtype)
    if not np.isfinite(got).all() or not np.isfinite(nearest).all():
        return np.inf
    if scale is None:
        unit = np.spacing(np.abs(nearest)).astype(np.float64)
    else:
        unit = np.finfo(got.dtype).eps / 2 * np.asarray(scale).astype(np.float64)
    error = distance(got, exact)
    return float(np.max(np.divide(error, unit, out=np.where(error > 0, np.inf, 0.0), where=unit > 0), initial=0))
