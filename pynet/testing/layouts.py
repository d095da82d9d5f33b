"""The same numbers as they may lie in memory, none of them as a kernel wants them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..arrays import Array

_Shape: TypeAlias = tuple[int, ...]

# Each gives an array of this shape and dtype to write into.
_VIEWS: dict[str, Callable[[_Shape, np.dtype[Any]], Array]] = {
    "Fortran": lambda shape, kind: np.zeros(shape, kind, "F"),
    "transposed": lambda shape, kind: np.zeros((*shape[:0:-1], shape[0] + 1), kind)[..., :-1].T,
    "strided": lambda shape, kind: np.zeros((*shape[:-1], 2 * shape[-1]), kind)[..., ::2],
    "strided rows": lambda shape, kind: np.zeros((2 * shape[0], *shape[1:]), kind)[::2],
    "reversed": lambda shape, kind: np.zeros(shape, kind)[..., ::-1],
    "reversed rows": lambda shape, kind: np.zeros(shape, kind)[::-1],
    "columns of a wider array": lambda shape, kind: np.zeros((*shape[:-1], shape[-1] + 3), kind)[..., 1:-2],
    "misaligned": lambda shape, kind: _bytes(shape, kind)[1:].view(kind).reshape(shape),
    "field of records": lambda shape, kind: np.zeros(shape, [("before", np.uint8), ("x", kind)])["x"],
    "byte-swapped": lambda shape, kind: np.zeros(shape, kind.newbyteorder()),
}


def layouts(x: Array) -> dict[str, Array]:
    """Return the numbers of a C-contiguous array in every odd layout that its shape allows.

    Under "0-stride" it is the first number of each row that is repeated, for other numbers cannot lie so.
    """
    if not x.ndim or not x.size:
        return {}
    found = {}
    for name, view in _VIEWS.items():
        array = view(x.shape, x.dtype)
        array[...] = x
        if not (array.flags.carray and array.dtype.isnative and array.strides == x.strides):
            found[name] = array
    found["read-only"] = x.copy()
    found["read-only"].flags.writeable = False
    found["memory-mapped"] = _memory_mapped(x)
    if 1 in x.shape:
        found["wild stride"] = _wild_stride(x)
    if x.shape[-1] > 1:
        found["0-stride"] = np.broadcast_to(x[..., :1], x.shape)
    return found


def plain(array: Array) -> Array:
    """Return a copy as kernels like it: contiguous, aligned, in the machine's byte order, writable."""
    return np.array(array, array.dtype.newbyteorder("="), order="C", subok=False)


def _bytes(shape: _Shape, kind: np.dtype[Any]) -> Array:
    return np.zeros(int(np.prod(shape)) * kind.itemsize + 1, np.uint8)


def _memory_mapped(x: Array) -> Array:
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(x.tobytes())
        file.flush()
        return np.memmap(file, x.dtype, "r", shape=x.shape)


def _wild_stride(x: Array) -> Array:
    """Return a view whose axes of length 1 have strides that lead nowhere; NumPy takes it for contiguous."""
    strides = tuple(12345 * x.itemsize if size == 1 else s for size, s in zip(x.shape, x.strides, strict=True))
    return np.lib.stride_tricks.as_strided(x, x.shape, strides)
