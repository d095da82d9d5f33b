"""The safetensors format: a length, a table in JSON, and the numbers (huggingface.co/docs/safetensors)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from ..arrays import Array
from ..errors import CheckpointError
from . import json_text

_HEADER = "pynet"  # the entry of the metadata that holds the header
_METADATA = "__metadata__"

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def write(file: IO[bytes], header: bytes, arrays: Mapping[str, Array]) -> None:
    """Write a header and arrays, those of the widest numbers first, so that all of them are aligned."""
    table: dict[str, Any] = {_METADATA: {_HEADER: header.decode()}}
    place = 0
    widest_first = sorted(arrays, key=lambda name: -arrays[name].itemsize)
    for name in widest_first:
        array = arrays[name]
        dtype = _NAMES.get(array.dtype.newbyteorder("<").str)
        if dtype is None or name == _METADATA:
            raise TypeError(f"'{name}' of {array.dtype} is nothing that a '.safetensors' file keeps")
        table[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [place, place + array.nbytes]}
        place += array.nbytes
    text = json_text.dump(table)
    text += b" " * (-len(text) % 8)
    try:
        json_text.require_room(text, 8 + len(text) + place)
    except CheckpointError as error:
        raise ValueError(f"{len(arrays)} arrays are more than a '.safetensors' file of ours holds: {error}") from None
    file.write(len(text).to_bytes(8, "little") + text)
    for name in widest_first:
        array = arrays[name]
        file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)


def read(file: IO[bytes], size: int) -> tuple[Any, dict[str, Array]]:
    """Return the header, parsed, and the arrays of a file of ``size`` bytes; what `write` would not write raises."""
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8:
        raise CheckpointError("it is too short")
    table = json_text.read(file, length, size - 8)
    metadata = table.pop(_METADATA, {})
    if not all(isinstance(text, str) for text in metadata.values()):
        raise CheckpointError(f"its {_METADATA} holds something else than texts")
    if _HEADER not in metadata:
        raise CheckpointError("it holds no architecture: was it written by pynet.save?")
    header = json_text.parse(metadata[_HEADER].encode("ascii"), size)
    arrays = _laid_out(table, size - 8 - length)
    return header, {name: _array(file, dtype, shape) for name, (dtype, shape) in arrays.items()}


def _laid_out(table: dict[str, Any], size: int) -> dict[str, tuple[np.dtype[Any], list[int]]]:
    """Return dtypes and shapes in the order of their numbers, which fill ``size`` bytes without gaps."""
    found = {}
    place = 0
    for name, entry in sorted(table.items(), key=lambda item: item[1]["data_offsets"]):
        if not name.isprintable() or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise CheckpointError(f"{name!r:.80} is not described as it should be")
        offsets, shape, known_as = entry["data_offsets"], entry["shape"], _DTYPES.get(entry["dtype"])
        if known_as is None or len(shape) > 64 or not all(type(n) is int and n >= 0 for n in [*shape, *offsets]):
            raise CheckpointError(f"{name!r:.80} is of no dtype or shape of ours")
        dtype = np.dtype(known_as)
        end = place + dtype.itemsize * math.prod(shape)
        if offsets != [place, end]:
            raise CheckpointError(f"{name!r:.80} does not lie where it should, or not in so many bytes")
        found[name] = dtype, shape
        place = end
    if place != size:
        raise CheckpointError(f"its arrays take {place} bytes, but there are {size}")
    return found


def _array(file: IO[bytes], dtype: np.dtype[Any], shape: list[int]) -> Array:
    """Return an array, which stays in the bytes that were read."""
    size = dtype.itemsize * math.prod(shape)
    content = file.read(size)
    if len(content) < size:
        raise CheckpointError("it has become shorter while it was read")
    return np.ndarray(shape, dtype, content)
