"""Checks of hyper-parameters: each returns the value, or raises and says what was expected."""

import math
import numbers
import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

# BLAS counts rows and columns in 32 bits.
LARGEST_SIZE = 2**31 - 1


def as_int(value: Any, name: str) -> int:
    """Return a whole number as an int; numbers with a fraction part and booleans are refused."""
    try:
        if not isinstance(value, bool | np.bool_):
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError(f"{name} must be an int, got {value!r:.80}")


def as_size(value: Any, name: str, smallest: int = 0) -> int:
    """Return a whole number of at least ``smallest``, as many as BLAS can count."""
    size = as_int(value, name)
    if not smallest <= size <= LARGEST_SIZE:
        raise ValueError(f"{name} must be from {smallest} to 2**31 - 1, got {size}")
    return size


def as_shape(value: Any, name: str) -> tuple[int, ...]:
    """Return lengths of axes, one at least; a single one may be given as it is."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return (as_size(value, name, smallest=1),)
    shape = tuple(as_size(size, name, smallest=1) for size in value)
    if not shape:
        raise ValueError(f"{name} must have at least one axis, got {value!r:.80}")
    return shape


def as_new_shape(value: Any, name: str) -> tuple[int, ...]:
    """Return lengths of axes, one at least, of which one may be -1."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a sequence of ints, got {value!r:.80}")
    sizes = [as_int(size, name) for size in value]
    if not sizes or sizes.count(-1) > 1:
        raise ValueError(f"{name} must have at least one axis, and at most one -1, got {sizes}")
    return tuple(size if size == -1 else as_size(size, name, smallest=1) for size in sizes)


def as_number(value: Any, name: str) -> float:
    """Return a real number as a float; NaN passes, for the caller's range to refuse."""
    if value.__class__ is float:
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r:.80}")
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
    """Return True or False; a text, such as "no", is neither."""
    try:
        if not isinstance(value, str | bytes):
            return bool(value)
    except ValueError:  # of several numbers
        pass
    raise TypeError(f"{name} must be True or False, got {value!r:.80}")


def as_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r:.80}")
    return value


def as_reduction(value: Any, name: str) -> str:
    """Return what a criterion makes of the losses that it computes."""
    return as_choice(value, name, ("mean", "sum", "none"))


def as_mapping(value: Any, name: str) -> Mapping[Any, Any]:
    """Return a dict, or what behaves as one."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict, got {type(value).__name__}")
    return value


def require_entries(state: Any, expected: set[str]) -> None:
    """Refuse a state that is no dict, or has other entries."""
    if set(as_mapping(state, "state")) != expected:
        raise ValueError(f"state has {sorted(map(str, state))}, expected {sorted(expected)}")


def as_items(value: Any, name: str) -> list[Any]:
    """Return what an iterable yields."""
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list, got {value!r:.80}")
    return list(value)


def as_names(value: Any, name: str) -> list[str]:
    """Return names; one alone may be given as it is."""
    names: list[Any] = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [None]
    if not all(isinstance(each, str) for each in names):
        raise TypeError(f"{name} must be a list of names, got {value!r:.80}")
    return names


def as_path(value: Any, name: str) -> str:
    """Return a path as a text; numbers, which ``open`` takes for files that are open already, are refused."""
    try:
        return os.fsdecode(value)
    except TypeError:
        raise TypeError(f"{name} must be a path, got {value!r:.80}") from None
