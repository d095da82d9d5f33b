"""Computing an output again, with nothing changed: no output kept, no statistics moved, no mask drawn."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .arrays import Array

_replaying = ContextVar("replaying", default=False)


def is_replaying() -> bool:
    """Whether this context computes something again: then Dropout keeps its mask and BatchNorm its statistics."""
    return _replaying.get()


def replay(module: Any, input: Any) -> Array:
    """Return a module's output at ``input`` in its present mode, and leave everything as it was."""
    token, random = _replaying.set(True), np.random.get_state()
    try:
        own = getattr(module, "_replay", None)
        if own is not None:
            return own(input)  # type: ignore[no-any-return]
        # A leaf of ours changes nothing but its output; a user's module may keep anything anywhere.
        clone = copy.copy(module) if getattr(module, "is_leaf", False) else copy.deepcopy(module)
        return clone.forward(input)  # type: ignore[no-any-return]
    finally:
        _replaying.reset(token)
        np.random.set_state(random)


@contextmanager
def remembering(module: Any, **attributes: Any) -> Iterator[None]:
    """Give a module back what a certain forward left in its attributes, while its backward runs.

    The notebook advises to keep the output for backward, and Dropout keeps its mask. But the last forward may have been
    another one: of a module that stands twice, or at another input.
    """
    absent, own = object(), getattr(module, "__dict__", {})
    before = {name: own.get(name, absent) for name in attributes}
    own.update(attributes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is absent:
                own.pop(name, None)
            else:
                own[name] = value
