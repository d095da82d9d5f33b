"""What a Trainer is given, checked: each returns it, or raises and says what was expected."""

from __future__ import annotations

from typing import Any

from ..callbacks.callback import Callback
from ..checks import as_items


def as_validation_data(data: Any) -> tuple[Any, Any, Any]:
    """Return inputs, targets, and what rows count, or None."""
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        raise TypeError(f"validation_data must be (X, y) or (X, y, sample_weight), got {type(data).__name__}")
    X, y, *weight = data
    return X, y, weight[0] if weight else None


def as_callbacks(callbacks: Any) -> list[Callback]:
    """Return a list of callbacks."""
    found = [callbacks] if isinstance(callbacks, Callback) else as_items(callbacks, "callbacks")
    for callback in found:
        if not isinstance(callback, Callback):
            hint = f": write {callback.__name__}()" if isinstance(callback, type) else ""
            raise TypeError(f"callbacks must be pynet.callbacks.Callback objects, got {callback!r:.80}{hint}")
    return found
