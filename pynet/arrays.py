"""Which arrays pynet takes, and what it makes of the rest: the dtype policy, in one place.

The kernels take float32 and float64 arrays that lie in memory as they like them without asking; everything else comes
through here first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import ShapeError

Array: TypeAlias = npt.NDArray[Any]

# NumPy's own objects of these dtypes: with another, equal one np.require returns a view instead of the array itself.
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

_default_dtype: np.dtype[Any] = _FLOATS[1]


def as_float_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return float32 or float64 as a NumPy dtype; anything else raises TypeError."""
    try:
        found = None if dtype is None else native_float(np.dtype(dtype))
    except TypeError:
        found = None
    if found is None:
        raise TypeError(f"dtype must be float32 or float64, got {dtype!r}")
    return found


def native_float(dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """Return NumPy's own float32 or float64 for one in whatever byte order, and None for any other dtype."""
    native = dtype.newbyteorder("=")
    return next((kind for kind in _FLOATS if kind == native), None)


def set_default_dtype(dtype: npt.DTypeLike) -> None:
    """Choose the dtype of new parameters, and of what comes in as neither float32 nor float64.

    Parameters
    ----------
    dtype : float32 or float64
        float64 from the start, as in NumPy; float32 is twice as fast.

    Raises
    ------
    TypeError
        If ``dtype`` is anything else.
    """
    global _default_dtype
    _default_dtype = as_float_dtype(dtype)


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype that new parameters get: see `set_default_dtype`."""
    return _default_dtype


def choose_dtype(dtype: npt.DTypeLike | None) -> np.dtype[Any]:
    """Return ``dtype``, or the default one for None."""
    return _default_dtype if dtype is None else as_float_dtype(dtype)


def as_array(value: object, name: str) -> Array:
    """Return anything array-like as a plain ndarray of real numbers, of whatever dtype and layout it has.

    Raises
    ------
    TypeError
        If it is complex, text, dates, objects, structured or masked, or no array at all.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask would be lost: fill it first, as in x.filled(0)")
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        array = np.from_dlpack(value)
    else:
        try:
            array = np.asarray(value)
        except ValueError as error:  # rows of different lengths
            if isinstance(value, list | tuple):
                raise TypeError(f"{name} must be an array of numbers, got a {type(value).__name__}: {error}") from None
            raise
        if array.ndim > 1 and isinstance(value, list | tuple) and _has_masked(value):
            raise TypeError(f"{name} has a masked array in it, whose mask would be lost: fill it, as in x.filled(0)")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of real numbers, got {_describe(value, array)}")
    return array


def as_input(value: object, name: str, dtype: np.dtype[Any] | None = None) -> Array:
    """Return anything array-like as a C-contiguous, aligned float32 or float64 array.

    Without ``dtype`` float32 and float64 arrays stay as they are, and the rest, lists too, becomes the default dtype.
    What is too large for it becomes infinite, as silently as in a kernel.
    """
    array = as_array(value, name)
    if dtype is None:
        kept = None if isinstance(value, list | tuple) else native_float(array.dtype)
        dtype = kept or _default_dtype
    if array.dtype == dtype:
        return np.require(array, dtype, ["C", "A"])
    with np.errstate(over="ignore", under="ignore"):
        return np.require(array, dtype, ["C", "A"])


def as_gradient(value: object, at: Array, shape: tuple[int, ...] | None = None) -> Array:
    """Return the gradient at an output of this shape, or of the input's: in the input's dtype."""
    grad = as_input(value, "grad_output", at.dtype)
    if grad.shape != (at.shape if shape is None else shape):
        expected = f"{at.shape} as input" if shape is None else str(shape)
        raise ShapeError(f"grad_output has shape {grad.shape}, expected {expected}")
    return grad


def as_classes(value: object, dtype: np.dtype[Any]) -> Array:
    """Return a classification target: int64 labels if it is one-dimensional and of integers, else rows of ``dtype``."""
    array = as_array(value, "target")
    if array.ndim != 1 or array.dtype.kind == "f":
        return as_input(array, "target", dtype)
    if array.dtype.kind == "b":
        raise TypeError("target must hold integer labels, got bool: target.astype(int) has them")
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"target has label {array.max()} in row {array.argmax()}, which is no class")
    return np.require(array, np.int64, ["C", "A"])


def as_row_weights(value: object, name: str, rows: int, dtype: np.dtype[Any] | None = None) -> Array:
    """Return what each row counts, (rows,): finite and not negative."""
    weights = as_input(value, name, dtype)
    if weights.shape != (rows,):
        raise ShapeError(f"{name} has shape {weights.shape}, expected ({rows},): one for each row")
    wrong = np.flatnonzero(~((weights >= 0) & (weights < np.inf)))
    if wrong.size:
        raise ValueError(f"{name} must be finite and not negative, got {weights[wrong[0]]} in row {wrong[0]}")
    return weights


def largest_exact(dtype: np.dtype[Any]) -> int:
    """Return up to which whole number a dtype of floats has each one."""
    return int(2 ** (np.finfo(dtype).nmant + 1))


def are_whole(array: Array, dtype: npt.DTypeLike = np.int64) -> Array:
    """Return where numbers are whole, and of an integer dtype's range; NaN is not."""
    limits = np.iinfo(dtype)
    values = array.astype(np.longdouble) if array.dtype.kind == "f" else array  # which holds 2**63 and 2**63 - 1
    whole: Array = (values >= limits.min) & (values <= limits.max) & (values == np.floor(values))
    return whole


def as_parameter(value: object, name: str, shape: tuple[int, ...]) -> Array:
    """Return the array itself if kernels can write into it as it lies, else a copy; float32 and float64 are kept."""
    array = as_array(value, name)
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}, expected {shape}")
    return np.require(as_input(array, name), requirements=["C", "A", "W"])


_CACHE_LINE = 64


def aligned(array: Array) -> Array:
    """Return a copy that starts at a cache line: vectors of it do not lie across two, which doubles their cost."""
    copy = aligned_empty(array.shape, array.dtype)
    copy[...] = array
    return copy


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an array that starts at a cache line, in memory that nobody has touched yet."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + _CACHE_LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % _CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


_unfilled = ContextVar("unfilled", default=False)


@contextmanager
def unfilled() -> Iterator[None]:
    """Have new parameters stay as they come from the system, in memory that nobody touches: a file will fill them."""
    token = _unfilled.set(True)
    try:
        yield
    finally:
        _unfilled.reset(token)


def stay_unfilled() -> bool:
    """Whether new parameters are to stay so."""
    return _unfilled.get()


def _has_masked(rows: list[Any] | tuple[Any, ...]) -> bool:
    kinds = set(map(type, rows))
    if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
        return True
    nested = kinds & {list, tuple}
    return bool(nested) and any(_has_masked(row) for row in rows if type(row) in nested)


def _describe(value: object, array: Array) -> str:
    return f"dtype {array.dtype}" if isinstance(value, np.ndarray) else f"{type(value).__name__} (dtype {array.dtype})"
