"""NumPy's format: a zip archive of arrays, stored as they are."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple

import numpy as np

from ..arrays import Array
from ..errors import CheckpointError
from . import json_text

_HEADER = "pynet.npy"
_ARRAYS = "state/"  # what all other names begin with: one like 'file' is an argument of np.savez itself

# The directory of some 12,000 arrays; what zipfile makes of a longer one takes more memory than we want to give it.
_LARGEST_DIRECTORY = 2**20

# What NumPy writes before the numbers. It would evaluate that as Python, which nothing here is.
_BEFORE_NUMBERS = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<>|](?:b1|[iu][1248]|f(?:2|4|8|16)))', "
    rb"'fortran_order': (False|True), 'shape': \(([0-9, ]{0,2000})\), \} *\n",
    re.DOTALL,
)


def write(file: IO[bytes], header: bytes, arrays: Mapping[str, Array]) -> None:
    """Write a header and arrays."""
    names = [f"{_ARRAYS}{name}" for name in arrays]
    if sum(80 + len(name.encode()) for name in names) > _LARGEST_DIRECTORY - 200:
        raise ValueError(f"{len(arrays)} arrays are more than a '.npz' file of ours can hold")
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"'{name}' is of {array.dtype}, which a '.npz' file of ours does not keep")
    named = dict(zip(names, arrays.values(), strict=True))
    np.savez(file, allow_pickle=False, **{_HEADER.removesuffix(".npy"): np.frombuffer(header, np.uint8)}, **named)


def read(file: IO[bytes], size: int) -> tuple[Any, dict[str, Array]]:
    """Return the header, parsed, and the arrays of a file of ``size`` bytes; what `write` would not write raises."""
    entries: dict[str, _Entry] = {}
    for entry in _entries(file, size):
        if entry.name in entries or not entry.name.isprintable():
            raise CheckpointError(f"it holds {entry.name!r:.80} twice, or under an odd name")
        entries[entry.name] = entry
    if _HEADER not in entries:
        raise CheckpointError("it holds no architecture: was it written by pynet.save?")
    header = json_text.parse(_array(file, entries.pop(_HEADER)).tobytes(), size)
    strange = next((name for name in entries if not name.startswith(_ARRAYS)), None)
    if strange is not None:
        raise CheckpointError(f"it holds {strange!r:.80}, which is no part of a model")
    return header, {_short(name): _array(file, entry) for name, entry in entries.items()}


def _short(name: str) -> str:
    return name.removeprefix(_ARRAYS).removesuffix(".npy")


class _Entry(NamedTuple):
    """A file in an archive."""

    name: str
    begin: int
    size: int
    checksum: int


class _Bounded:
    """A file as zipfile needs it, which reads a whole directory at once, however large."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.seek, self.tell, self.seekable = file, file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        most = _LARGEST_DIRECTORY + 1
        content = self._file.read(most if size < 0 else min(size, most))
        if len(content) == most:
            raise CheckpointError("its directory is too large")
        return content


def _entries(file: IO[bytes], size: int) -> Iterator[_Entry]:
    """Yield what an archive holds: one entry after another from its first byte on, without gaps, none compressed."""
    import struct
    import zipfile

    file.seek(max(size - 22, 0))
    end = file.read(22)
    if end[:4] != b"PK\x05\x06" or end[20:] != b"\0\0":
        raise CheckpointError("it is damaged, or no zip archive: it does not end as one")
    place = 0
    with zipfile.ZipFile(_Bounded(file)) as archive:
        for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
            name, in_utf8 = entry.orig_filename, entry.flag_bits & 0x800
            if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
                raise CheckpointError(f"entry {name!r:.80} is compressed")
            if entry.flag_bits & ~in_utf8:
                raise CheckpointError(f"entry {name!r:.80} is encrypted, or not as it should be")
            file.seek(place)
            signature, name_length, extra_length = struct.unpack("<4s22x2H", file.read(30))
            known_as = file.read(name_length).decode("utf-8" if in_utf8 else "cp437")
            if entry.header_offset != place or signature != b"PK\x03\x04" or known_as != name:
                raise CheckpointError(f"entry {name!r:.80} does not lie where it should")
            begin = place + 30 + name_length + extra_length
            place = begin + entry.file_size
            yield _Entry(name, begin, entry.file_size, entry.CRC)
        if place != archive.start_dir:
            raise CheckpointError("there is a gap in it")


def _array(file: IO[bytes], entry: _Entry) -> Array:
    """Return the array of an entry, which stays in the bytes that were read."""
    import zlib

    file.seek(entry.begin)
    content = file.read(entry.size)
    if len(content) < entry.size or zlib.crc32(content) != entry.checksum:
        raise CheckpointError(f"{entry.name!r} does not have its checksum")
    found = _BEFORE_NUMBERS.match(content)
    if found is None or len(found[0]) != 10 + int.from_bytes(found[1], "little"):
        raise CheckpointError(f"{entry.name!r} is no array of numbers")
    dtype, shape = np.dtype(found[2].decode()), tuple(int(length) for length in found[4].split(b",") if length.strip())
    if len(content) - len(found[0]) != dtype.itemsize * math.prod(shape):
        raise CheckpointError(
            f"{entry.name!r} has {len(content)} bytes, another number than for its shape {shape!s:.80}"
        )
    return np.ndarray(shape, dtype, content, len(found[0]), order="F" if found[3] == b"True" else "C")
