"""What a Trainer is given, checked: each returns it, or raises and says what was expected."""

from __future__ import annotations

from typing import Any

from ..callbacks.callback import Callback


def as_pair(data: Any) -> tuple[Any, Any]:
    """Return inputs and targets."""
    if not isinstance(data, list | tuple) or len(data) != 2:
        raise TypeError(f"validation_data must be a pair (X, y), got {type(data).__name__}")
    return data[0], data[1]


def as_criterion(criterion: Any) -> Any:
    """Return what has forward and backward."""
    methods = (getattr(criterion, name, None) for name in ("forward", "backward"))
    if isinstance(criterion, type) or not all(map(callable, methods)):
        hint = f": write {criterion.__name__}()" if isinstance(criterion, type) else ""
        raise TypeError(f"criterion must have forward and backward, got {criterion!r:.80}{hint}")
    return criterion


def as_optimizer(optimizer: Any, model: Any) -> Any:
    """Return what has step(), and moves this model."""
    if isinstance(optimizer, type) or not callable(getattr(optimizer, "step", None)):
        hint = f": write {optimizer.__name__}(model)" if isinstance(optimizer, type) else ""
        raise TypeError(f"optimizer must have step(), got {optimizer!r:.80}{hint}")
    if getattr(optimizer, "model", model) is not model:
        raise ValueError("optimizer moves another model than the one that is to be trained")
    return optimizer


def as_callbacks(callbacks: Any) -> list[Callback]:
    """Return a list of callbacks."""
    found = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
    for callback in found:
        if not isinstance(callback, Callback):
            hint = f": write {callback.__name__}()" if isinstance(callback, type) else ""
            raise TypeError(f"callbacks must be pynet.callbacks.Callback objects, got {callback!r:.80}{hint}")
    return found
