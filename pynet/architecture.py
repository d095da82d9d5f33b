"""An architecture as plain data: class names and constructor arguments, for a file, and back again."""

import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np

from . import layers
from .errors import CheckpointError
from .module import Module
from .sequential import Sequential

# The only classes that a file can name by itself.
_OWN: dict[str, type] = {name: getattr(layers, name) for name in layers.__all__} | {"Sequential": Sequential}


def encode(module: Module) -> dict[str, Any]:
    """Return a module as ``{"class": ..., "arguments": ...}``: what JSON can hold.

    Raises
    ------
    TypeError
        If an argument is nothing that JSON can hold.
    """
    cls = type(module)
    name = f"pynet.{cls.__name__}" if _OWN.get(cls.__name__) is cls else cls.__name__
    arguments = {
        argument: _encode_value(value, f"{cls.__name__}.{argument}") for argument, value in module.config().items()
    }
    return {"class": name, "arguments": arguments}


def _encode_value(value: Any, where: str) -> Any:
    if isinstance(value, Module):
        return encode(value)
    if isinstance(value, list | tuple):
        return [_encode_value(item, where) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"{where} is a {type(value).__name__}, which a file cannot keep: config() must return numbers, strings, "
        "booleans, None, pynet modules, and lists of these"
    )


def decode(data: Any, classes: Iterable[type] = ()) -> Any:
    """Return the module that `encode` described, with fresh weights; NumPy's random state stays as it was.

    Raises
    ------
    CheckpointError
        If the data are not what `encode` writes, or name a class that is not given.
    """
    known = {f"pynet.{name}": cls for name, cls in _OWN.items()} | {cls.__name__: cls for cls in classes}
    state = np.random.get_state()
    try:
        return _decode(data, known)
    finally:
        np.random.set_state(state)


def _decode(data: Any, known: dict[str, type]) -> Any:
    if not isinstance(data, dict) or set(data) != {"class", "arguments"} or not isinstance(data["arguments"], dict):
        raise CheckpointError("its architecture is not what pynet.save writes")
    cls = known.get(data["class"]) if isinstance(data["class"], str) else None
    if cls is None:
        name = data["class"]
        raise CheckpointError(f"it holds a {name!r}, which is not pynet's: load(path, classes=[{name}]) admits it")
    arguments = {name: _decode_value(value, known) for name, value in data["arguments"].items()}
    positional: list[Any] = []
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional = arguments.pop(name, [])
    return cls(*positional, **arguments)


def _decode_value(value: Any, known: dict[str, type]) -> Any:
    if isinstance(value, dict):
        return _decode(value, known)
    if isinstance(value, list):
        return [_decode_value(item, known) for item in value]
    return value
