"""What a Trainer is given, checked: each returns it, or raises and says what was expected."""

from __future__ import annotations

from typing import Any

from ..callbacks.callback import Callback
from ..checks import as_items


def as_pair(data: Any) -> tuple[Any, Any]:
    """Return inputs and targets."""
    if not isinstance(data, list | tuple) or len(data) != 2:
        raise TypeError(f"validation_data must be a pair (X, y), got {type(data).__name__}")
    return data[0], data[1]


def as_callbacks(callbacks: Any) -> list[Callback]:
    """Return a list of callbacks."""
    found = [callbacks] if isinstance(callbacks, Callback) else as_items(callbacks, "callbacks")
    for callback in found:
        if not isinstance(callback, Callback):
            hint = f": write {callback.__name__}()" if isinstance(callback, type) else ""
            raise TypeError(f"callbacks must be pynet.callbacks.Callback objects, got {callback!r:.80}{hint}")
    return found
