"""Checks of hyper-parameters: each returns the value, or raises and says what was expected."""

import math
import numbers
import operator
from typing import Any

# BLAS counts rows and columns in 32 bits.
LARGEST_SIZE = 2**31 - 1


def as_size(value: Any, name: str, smallest: int = 0) -> int:
    """Return a whole number of at least ``smallest``; numbers with a fraction part and booleans are refused."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int, got {value!r}")
    size = operator.index(value)
    if not smallest <= size <= LARGEST_SIZE:
        raise ValueError(f"{name} must be from {smallest} to 2**31 - 1, got {size}")
    return size


def as_number(value: Any, name: str) -> float:
    """Return a real number as a float; NaN passes, for the caller's range to refuse."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large for a float") from None


def as_finite(value: Any, name: str) -> float:
    """Return a finite number."""
    number = as_number(value, name)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    return number


def as_at_least_zero(value: Any, name: str) -> float:
    """Return a finite number that is not negative."""
    number = as_number(value, name)
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, got {number}")
    return number


def as_positive(value: Any, name: str) -> float:
    """Return a finite number above 0."""
    number = as_number(value, name)
    if not 0 < number < math.inf:
        raise ValueError(f"{name} must be finite and above 0, got {number}")
    return number


def as_share(value: Any, name: str) -> float:
    """Return a number from 0 to 1."""
    number = as_number(value, name)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {number}")
    return number


def as_fraction(value: Any, name: str) -> float:
    """Return a number from 0 up to, but not, 1."""
    number = as_number(value, name)
    if not 0 <= number < 1:
        raise ValueError(f"{name} must be at least 0 and less than 1, got {number}")
    return number


def as_flag(value: Any, name: str) -> bool:
    """Return True or False."""
    return bool(value)


def as_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return str(value)


def as_reduction(value: Any, name: str) -> str:
    """Return what a criterion makes of the losses that it computes."""
    return as_choice(value, name, ("mean", "sum", "none"))
