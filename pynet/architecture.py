"""An architecture as plain data: class names and constructor arguments, for a file, and back again."""

import inspect
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from . import layers
from .describe import config_of
from .errors import CheckpointError
from .protocol import is_module
from .sequential import Sequential

# The only classes that a file can name by itself.
_OWN: dict[str, type] = {name: getattr(layers, name) for name in layers.__all__} | {"Sequential": Sequential}


def encode(module: Any) -> dict[str, Any]:
    """Return a module as ``{"class": ..., "arguments": ...}``: what JSON can hold.

    A module that stands again, after ``n`` others have begun, is ``{"again": n}``.

    Raises
    ------
    TypeError
        If an argument is nothing that JSON can hold, or the constructor would not take it.
    """
    return _encode(module, {})


def _encode(module: Any, seen: dict[int, int]) -> dict[str, Any]:
    if id(module) in seen:
        return {"again": seen[id(module)]}
    seen[id(module)] = len(seen)
    cls = type(module)
    name = f"pynet.{cls.__name__}" if _OWN.get(cls.__name__) is cls else cls.__name__
    arguments = {key: _encode_value(value, f"{cls.__name__}.{key}", seen) for key, value in config_of(module).items()}
    return {"class": name, "arguments": arguments}


def _encode_value(value: Any, where: str, seen: dict[int, int]) -> Any:
    if is_module(value):
        return _encode(value, seen)
    if isinstance(value, list | tuple):
        return [_encode_value(item, where, seen) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"{where} is a {type(value).__name__}, which a file cannot keep: config() must return numbers, strings, "
        "booleans, None, modules, and lists of these"
    )


def decode(data: Any, classes: Iterable[type], numbers: int) -> Any:
    """Return the module that `encode` described, with fresh weights; NumPy's random state stays as it was.

    Parameters
    ----------
    data : dict
        What `encode` returned.
    classes : iterable of type
        The classes that it may name beside pynet's own.
    numbers : int
        How many numbers the file holds: a larger layer is refused before memory is taken for it.

    Raises
    ------
    CheckpointError
        If the data are not what `encode` writes, name a class that is not given, or more numbers than there are.
    """
    known = {f"pynet.{name}": cls for name, cls in _OWN.items()} | {cls.__name__: cls for cls in classes}
    state = np.random.get_state()
    try:
        return _Decoder(known, numbers).module(data)
    finally:
        np.random.set_state(state)


class _Decoder:
    def __init__(self, known: dict[str, type], numbers: int) -> None:
        self._known, self._numbers = known, numbers
        self._made: list[Any] = []

    def module(self, data: Any) -> Any:
        if isinstance(data, dict) and set(data) == {"again"}:
            return self._made[data["again"]]
        if not isinstance(data, dict) or set(data) != {"class", "arguments"}:
            raise CheckpointError("its architecture is not what pynet.save writes")
        name, place = data["class"], len(self._made)
        cls = self._known.get(name) if isinstance(name, str) else None
        if cls is None:
            raise CheckpointError(f"it holds a {name!r}, which is not pynet's: load(path, classes=[{name}]) admits it")
        self._made.append(None)
        arguments = {key: self._value(value) for key, value in data["arguments"].items()}
        if cls in _OWN.values():
            self._require_room(arguments)
        try:
            module = _construct(cls, arguments)
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{name} cannot be made from its arguments {arguments}: {error}") from error
        self._made[place] = module
        return module

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self.module(value)
        return [self._value(item) for item in value] if isinstance(value, list) else value

    def _require_room(self, arguments: dict[str, Any]) -> None:
        sizes = [value for value in arguments.values() if type(value) is int]
        if sizes and (math.prod(sizes) > self._numbers or max(sizes) > max(self._numbers, 10**6)):
            raise CheckpointError(
                f"a layer of sizes {sizes} is larger than the file, which holds {self._numbers} numbers"
            )


def _construct(cls: type, arguments: dict[str, Any]) -> Any:
    positional: list[Any] = []
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional = arguments.pop(name, [])
    return cls(*positional, **arguments)
