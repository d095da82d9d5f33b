"""What a Trainer is given, checked: each returns it, or raises and says what was expected."""

from __future__ import annotations

from typing import Any

from ..arrays import Array
from ..callbacks.callback import Callback
from ..checks import as_items
from ..criteria import CrossEntropy
from ..warning import warn

_ROUNDING = 1e-3  # how far from 0 and 1 a probability may lie


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


def warn_of_scores(criterion: Any, outputs: Array) -> None:
    """Warn the caller of ``fit`` of outputs that are no probabilities, which `CrossEntropy` would clip to some."""
    if type(criterion) is CrossEntropy and ((outputs < -_ROUNDING) | (outputs > 1 + _ROUNDING)).any():
        warn(
            "CrossEntropy takes probabilities, but the model returns numbers below 0 or above 1: "
            "put a SoftMax behind the model, or use CrossEntropyLoss, which takes scores"
        )
