"""IDX: the file format of MNIST and its relatives."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..arrays import Array
from ..checks import as_path

if TYPE_CHECKING:
    import gzip

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"


def load_idx(path: str | os.PathLike[str]) -> Array:
    """Read an IDX file, plain or compressed with gzip.

    Parameters
    ----------
    path : str or path
        Such as MNIST's ``train-images-idx3-ubyte.gz``.

    Returns
    -------
    array
        Of the shape and the type that the file names, in native byte order.

    Raises
    ------
    ValueError
        If the file is damaged or no IDX file.
    OSError
        If it cannot be read.
    TypeError
        If ``path`` is none.

    References
    ----------
    LeCun, Cortes, Burges, "The MNIST database of handwritten digits", 1998, describes the format: two zero bytes, one
    for the type, one for the number of axes, their lengths as big-endian 32-bit integers, and the data.
    """
    import gzip  # here, for `import pynet` need not wait for it

    path = as_path(path, "path")
    try:
        with open(path, "rb") as file:
            compressed = file.read(2) == _GZIP
        with gzip.open(path) if compressed else open(path, "rb") as file:
            return _read(file)
    except (ValueError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is no IDX file, or damaged: {error}") from None


def _read(file: BinaryIO | gzip.GzipFile) -> Array:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _DTYPES:
        raise ValueError("it does not begin as one")
    lengths = file.read(4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise ValueError("it ends within its header")
    shape = tuple(int(length) for length in np.frombuffer(lengths, ">u4"))
    dtype = np.dtype(_DTYPES[head[2]])
    size = math.prod(shape) * dtype.itemsize
    # A wrong header may promise more than memory can hold: what is there is read, and compared with it.
    data = file.read()
    if len(data) != size:
        raise ValueError(f"it has {len(data)} bytes of data, expected {size} for shape {shape}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
