"""Options of criteria that are arrays: each check returns what is kept, or raises and says what was expected."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from ..arrays import Array, as_input
from ..checks import as_at_least_zero
from ..errors import ShapeError


def as_class_weight(value: Any, name: str) -> Array | None:
    """Return what each class counts, or None."""
    return None if value is None else _as_weights(value, name, "(classes,)")


def as_pos_weight(value: Any, name: str) -> Array | float | None:
    """Return what positive targets count: a number, one for each column, or None."""
    if value is None:
        return None
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if is_number or (isinstance(value, np.ndarray) and not value.ndim and value.dtype.kind in "fiu"):
        return as_at_least_zero(float(value), name)
    return _as_weights(value, name, "(columns,), or a number")


def as_quantiles(value: Any, name: str) -> Array:
    """Return shares between 0 and 1, each larger than the one before."""
    quantiles = _as_row(value, name, "(quantiles,)")
    if not quantiles.size:
        raise ValueError(f"{name} must hold at least one number")
    if not (quantiles.min() > 0 and quantiles.max() < 1 and np.all(np.diff(quantiles) > 0)):
        raise ValueError(f"{name} must lie between 0 and 1, each above the one before, got {quantiles.tolist()!s:.80}")
    return quantiles


def _as_weights(value: Any, name: str, expected: str) -> Array:
    weights = _as_row(value, name, expected)
    if not np.all((weights >= 0) & (weights < np.inf)):
        raise ValueError(f"{name} must be finite and not negative")
    return weights


def _as_row(value: Any, name: str, expected: str) -> Array:
    array = as_input(value, name).copy()
    if array.ndim != 1:
        raise ShapeError(f"{name} has shape {array.shape}, expected {expected}")
    array.flags.writeable = False  # what has been checked, and converted for a compiled step, stays
    return array
