"""Formats of files: each keeps a header and arrays by name, and is read without trust in what stands in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple

from ..arrays import Array
from . import npz, safetensors


class Format(NamedTuple):
    """How to write a header, as JSON, and arrays to a file, and how to read them from one of so many bytes."""

    write: Callable[[IO[bytes], bytes, Mapping[str, Array]], None]
    read: Callable[[IO[bytes], int], tuple[Any, dict[str, Array]]]


_FORMATS = {".npz": Format(npz.write, npz.read), ".safetensors": Format(safetensors.write, safetensors.read)}


def format_of(path: str | os.PathLike[str]) -> Format:
    """Return the format that a path's ending stands for; raise ValueError for another ending."""
    found = _FORMATS.get(os.path.splitext(path)[1])
    if found is None:
        raise ValueError(f"path must end in {' or '.join(_FORMATS)}, got {os.fspath(path)!r}")
    return found
