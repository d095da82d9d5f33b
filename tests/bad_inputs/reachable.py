"""What can be reached from some objects, byte for byte: to see that a call has changed nothing."""

import inspect
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

import pynet

_CONSTANTS = (bool, int, float, complex, str, bytes, np.generic, np.dtype, type(None), type(...), slice)
_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, np.ufunc)


class Picture(NamedTuple):
    """An object, the place where it was found, and what it holds."""

    value: Any  # kept alive, so that no other object gets its identity
    place: str
    content: Any
    parts: dict[str, Any]


def everything(*roots: Any, but: tuple[str, ...] = ()) -> dict[int, Picture]:
    """Return a picture of each object that is reachable, by its identity, and of the global state.

    Arrays with layout and bytes, random generators with their state, others with what they hold, but for attributes of
    certain names.
    """
    pictures = {0: Picture(None, "the global state", _global_state(), {})}
    left = [(f"argument {position}", root) for position, root in enumerate(roots)]
    while left:
        place, value = left.pop()
        if id(value) in pictures or isinstance(value, _CONSTANTS + _CODE):
            continue
        inside = {name: part for name, part in _inside(value).items() if name not in but}
        parts = {name: _constant(part) or id(part) for name, part in inside.items()}
        pictures[id(value)] = Picture(value, place, _content(value), parts)
        left += [(place + name, part) for name, part in inside.items()]
    return pictures


def differences(before: dict[int, Picture], after: dict[int, Picture]) -> list[str]:
    """Return the places that are not what they were."""
    return [
        f"{was.place}: {was.content} {was.parts}, now {after.get(key)}"[:2000]
        for key, was in before.items()
        if key not in after or (was.content, was.parts) != (after[key].content, after[key].parts)
    ]


def _global_state() -> Any:
    return _state(np.random.get_state()), pynet.get_default_dtype(), pynet.get_num_threads(), str(np.geterr())


def _state(state: Any) -> tuple[Any, ...]:
    kind, keys, *rest = state
    return kind, keys.tobytes(), *rest


def _constant(value: Any) -> Any:
    return (type(value), repr(value)) if isinstance(value, _CONSTANTS) else None


def _content(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        array = value.view(np.ndarray)
        content = tuple(map(id, array.flat)) if array.dtype.hasobject else array.tobytes()
        return array.dtype, array.shape, array.strides, array.flags.writeable, content
    if isinstance(value, np.random.Generator):
        return str(value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return _state(value.get_state())
    if isinstance(value, GeneratorType):
        return inspect.getgeneratorstate(value)
    return sorted(map(repr, value)) if isinstance(value, set) else type(value)


def _inside(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {f"[{key!r:.60}]": item for key, item in list(value.items())}
    if isinstance(value, list | tuple):
        return {f"[{position}]": item for position, item in enumerate(value)}
    return {f".{name}": item for name, item in list(getattr(value, "__dict__", {}).items())}
