"""Computing an output with nothing changed: no output kept, no statistics moved, no mask drawn, no mode switched."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import numpy as np

from . import protocol
from .modes import evaluating_ours, is_evaluating

_replaying = ContextVar("replaying", default=False)


def is_replaying() -> bool:
    """Whether this context computes something again: then Dropout keeps its mask and BatchNorm its statistics."""
    return _replaying.get()


def replay(module: Any, input: Any) -> Any:
    """Return a module's output at ``input`` in its present mode, and leave everything as it was."""
    token = _replaying.set(True)
    try:
        own = getattr(module, "_replay", None)
        return forward_of_copy(module, input) if own is None else own(input)
    finally:
        _replaying.reset(token)


def evaluate(module: Any, input: Any) -> Any:
    """Return a module's output at ``input`` in evaluation mode, and leave everything, its mode too, as it was.

    Many threads may do so at once, and others train it meanwhile.
    """
    with evaluating_ours():
        # A view: a container has other things in store for the very array that it was given last.
        return replay(module, input.view())


def forward_of_copy(module: Any, input: Any) -> Any:
    """Return the output of a copy: a leaf of ours changes nothing but its output, others may draw and keep anything."""
    if getattr(module, "is_leaf", False):
        return copy.copy(module).forward(input)
    return forward_of_deep_copy(module, input)


def forward_of_deep_copy(module: Any, input: Any) -> Any:
    """Return the output of a copy that shares nothing, not even what it draws from NumPy's generator.

    One that cannot be copied, as with a lock in it, computes itself. In evaluation mode the generator is left to those
    who draw from it meanwhile.
    """
    if is_evaluating():
        twin = _copy_of(module)
        with protocol.evaluating(twin):
            return twin.forward(input)
    random = np.random.get_state()
    try:
        return _copy_of(module).forward(input)
    finally:
        np.random.set_state(random)


def _copy_of(module: Any) -> Any:
    try:
        return copy.deepcopy(module)
    except Exception:  # whatever its own says
        return module


# What a forward leaves in a module for the backward that follows.
Left: TypeAlias = list[tuple[Any, dict[str, Any]]]


def left_in(module: Any) -> Left:
    """Return what the last forward has left in a module and in all below it."""
    names = ("output", "mask", "_kept")
    parts = [(part, protocol.attributes_of(part)) for _, part in protocol.modules(module)]
    return [(part, {name: own[name] for name in names if name in own}) for part, own in parts]


@contextmanager
def remembering(left: Left) -> Iterator[None]:
    """Give modules back what a certain forward left in them, while their backward runs.

    The notebook advises to keep the output for backward, and Dropout keeps its mask. But the last forward may have been
    another one: of a module that stands twice, or at another input.
    """
    absent, before = object(), []
    for module, attributes in left:
        own = protocol.attributes_of(module)
        for name, value in attributes.items():
            if not protocol.is_module(own.get(name)):  # a child that is called so
                before.append((own, name, own.get(name, absent)))
                own[name] = value
    try:
        yield
    finally:
        for own, name, value in reversed(before):
            if value is absent:
                own.pop(name, None)
            else:
                own[name] = value
