"""An architecture as plain data: class names and constructor arguments, for a file, and back again."""

import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from . import layers
from .arrays import unfilled
from .describe import config_of
from .errors import CheckpointError
from .parallel import Parallel
from .protocol import is_module
from .residual import Residual
from .sequential import Sequential

# How many numbers those layers hold that hold any, by their constructors' arguments.
_NUMBERS: dict[type, Callable[..., int]] = {
    layers.Linear: lambda dim_in, dim_out, bias=True, **_: _size(dim_out) * (_size(dim_in) + bool(bias)),
    layers.LayerNorm: lambda normalized_shape, elementwise_affine=True, bias=True, **_: (
        _sizes(normalized_shape) * bool(elementwise_affine) * (1 + bool(bias))
    ),
    layers.RMSNorm: lambda normalized_shape, elementwise_affine=True, **_: (
        _sizes(normalized_shape) * bool(elementwise_affine)
    ),
    layers.GroupNorm: lambda num_channels, affine=True, **_: 2 * _size(num_channels) * bool(affine),
    layers.Embedding: lambda num_embeddings, embedding_dim, **_: _size(num_embeddings) * _size(embedding_dim),
    layers.BatchNorm: lambda num_features, affine=True, **_: _size(num_features) * (4 if affine else 2) + 1,
    layers.PReLU: lambda num_parameters=1, **_: _size(num_parameters),
}

# How often modules may stand in a model; one that holds another twice, which does so too, is soon beyond all bounds.
_MOST_MODULES = 100_000

# The only classes that a file can name by itself.
_CONTAINERS: dict[str, type] = {"Sequential": Sequential, "Residual": Residual, "Parallel": Parallel}
_OWN: dict[str, type] = {name: getattr(layers, name) for name in layers.__all__} | _CONTAINERS


def encode(module: Any) -> dict[str, Any]:
    """Return a module as ``{"class": ..., "arguments": ...}``: what JSON can hold.

    A module that stands again, after ``n`` others have begun, is ``{"again": n}``.

    Raises
    ------
    TypeError
        If an argument is nothing that JSON can hold, or the constructor would not take it.
    ValueError
        If a module contains itself.
    """
    return _encode(module, {}, ())


def _encode(module: Any, seen: dict[int, int], above: tuple[int, ...]) -> dict[str, Any]:
    if id(module) in above:
        raise ValueError(f"{type(module).__name__} contains itself, which a file cannot keep")
    if id(module) in seen:
        return {"again": seen[id(module)]}
    seen[id(module)] = len(seen)
    above = (*above, id(module))
    cls = type(module)
    name = f"pynet.{cls.__name__}" if _OWN.get(cls.__name__) is cls else cls.__name__
    arguments = {
        key: _encode_value(value, f"{cls.__name__}.{key}", seen, above) for key, value in config_of(module).items()
    }
    return {"class": name, "arguments": arguments}


def _encode_value(value: Any, where: str, seen: dict[int, int], above: tuple[int, ...]) -> Any:
    if is_module(value):
        return _encode(value, seen, above)
    if isinstance(value, list | tuple):
        return [_encode_value(item, where, seen, above) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
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
    with unfilled(), _same_random_state() if classes else nullcontext():
        return _Decoder(known, numbers).module(data)


@contextmanager
def _same_random_state() -> Iterator[None]:
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)


def numbers_in(cls: type, arguments: dict[str, Any]) -> int:
    """Return how many numbers a layer of ours with these arguments holds."""
    count = _NUMBERS.get(cls)
    return 0 if count is None else count(**arguments)


def _size(value: Any) -> int:
    return value if type(value) is int else 0  # which the constructor will refuse


def _sizes(value: Any) -> int:
    return math.prod(map(_size, value)) if isinstance(value, list) else _size(value)


class _Decoder:
    def __init__(self, known: dict[str, type], numbers: int) -> None:
        self._known, self._numbers = known, numbers
        self._left = numbers  # that no layer has claimed yet
        self._made: list[Any] = []
        self._standing = 0  # modules so far, those that stand again counted again
        self._inside: list[int] = []  # how many of them each holds, itself included

    def module(self, data: Any) -> Any:
        if isinstance(data, dict) and set(data) == {"again"}:
            return self._again(data["again"])
        if not isinstance(data, dict) or set(data) != {"class", "arguments"}:
            raise CheckpointError("its architecture is not what pynet.save writes")
        name, place = data["class"], len(self._made)
        cls = self._known.get(name) if isinstance(name, str) else None
        if cls is None:
            raise CheckpointError(f"it holds a {name!r}, which is not pynet's: load(path, classes=[{name}]) admits it")
        if not isinstance(data["arguments"], dict) or "seed" in data["arguments"]:  # which is never written
            raise CheckpointError(f"what {name} is made from is not what pynet.save writes")
        before = self._standing
        self._made.append(None)
        self._inside.append(0)
        self._stand(1)
        arguments = {key: self._value(value) for key, value in data["arguments"].items()}
        try:
            self._claim(numbers_in(cls, arguments))
            module = _construct(cls, arguments)
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{name} cannot be made from {sorted(arguments)}: {error}") from error
        self._made[place] = module
        self._inside[place] = self._standing - before
        return module

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return _slice(value["slice"]) if set(value) == {"slice"} else self.module(value)
        return [self._value(item) for item in value] if isinstance(value, list) else value

    def _again(self, place: Any) -> Any:
        if type(place) is not int or not 0 <= place < len(self._made) or self._made[place] is None:
            raise CheckpointError(f"its architecture repeats module {place!r:.80}, which there is not")
        self._stand(self._inside[place])
        return self._made[place]

    def _stand(self, count: int) -> None:
        self._standing += count
        if self._standing > _MOST_MODULES:
            raise CheckpointError(f"more than {_MOST_MODULES} modules stand in its architecture")

    def _claim(self, numbers: int) -> None:
        self._left -= max(numbers, 0)
        if self._left < 0:
            raise CheckpointError(f"its layers are larger than the file, which holds {self._numbers} numbers")


def _slice(ends: Any) -> slice:
    if not isinstance(ends, list) or len(ends) != 3:
        raise CheckpointError("a slice in its architecture is not what pynet.save writes")
    return slice(*ends)


def _construct(cls: type, arguments: dict[str, Any]) -> Any:
    positional: list[Any] = []
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional = arguments.pop(name, [])
    return cls(*positional, **arguments)
