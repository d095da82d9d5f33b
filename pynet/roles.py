"""What takes part in training, checked: each returns it, or raises and says what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import protocol


def as_module(model: Any) -> Any:
    """Return what goes forward and backward."""
    if not protocol.is_module(model):
        raise TypeError(f"model must be a module with forward and backward, got {model!r:.80}")
    return model


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


def as_loss(value: Any) -> float:
    """Return a criterion's loss as a float; raise if it is not one number."""
    if np.ndim(value):
        raise TypeError(f"the criterion must return one number, got shape {np.shape(value)}: reduction='mean' does")
    return float(value)
