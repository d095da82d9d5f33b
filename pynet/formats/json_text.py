"""JSON in files, of which none is parsed that would take much more memory than the file has bytes."""

from __future__ import annotations

from typing import IO, Any

from ..errors import CheckpointError

# What reading a file may take beside the file's own size.
SPARE = 2**24

# No less than the memory that each of these characters stands for: a dict, its keys, a list, any value, a string.
_COSTS = {b"{": 200, b":": 130, b"[": 72, b",": 32, b'"': 28}


def dump(data: Any) -> bytes:
    """Return the text of what JSON can hold."""
    import json

    return json.dumps(data, allow_nan=False).encode("ascii")


def read(file: IO[bytes], length: int, size: int) -> Any:
    """Return what the next ``length`` bytes of a file of ``size`` bytes stand for."""
    if length > size or 3 * length > size + SPARE:
        raise CheckpointError(f"a text of {length} bytes is too long for it")
    return parse(file.read(length), size)


def parse(text: bytes, size: int) -> Any:
    """Return what a text from a file of ``size`` bytes stands for."""
    import json

    require_room(text, size)
    return json.loads(text.decode("ascii"), object_pairs_hook=_each_key_once, parse_constant=_refuse)


def require_room(text: bytes, size: int) -> None:
    """Raise CheckpointError if what a text stands for takes too much memory, in a file of ``size`` bytes.

    While it is parsed there is nothing else of the file; afterwards there are the arrays, but no longer the text.
    """
    widest = 4 if b"\\u" in text else 1  # bytes that a letter may come to take
    values = sum(cost * text.count(letter) for letter, cost in _COSTS.items()) + widest * len(text)
    if values > len(text) + SPARE or 2 * len(text) + values > size + SPARE:
        raise CheckpointError(f"a text of {len(text)} bytes with {text.count(b',')} commas takes too much memory")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise CheckpointError("a key stands twice in a JSON object")
    return found


def _refuse(constant: str) -> Any:
    raise CheckpointError(f"{constant} is no JSON")
