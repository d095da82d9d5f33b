"""A training step module by module: what a compiled one computes, for whatever cannot be compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array
from ..criterion import Criterion
from ..optim.clipping import clip_grad_norm_, clip_grad_value_
from ..roles import as_loss


def buffers_of(model: Any) -> list[Array]:
    """Return what is state but does not learn: BatchNorm's statistics."""
    return [buffer.array for buffer in protocol.all_buffers(model)]


def loss_of(criterion: Any, output: Any, target: Any, weight: Array | None) -> float:
    """Return what a batch costs."""
    if weight is None:
        return as_loss(criterion.forward(output, target))
    losses = criterion.row_losses(output, target)
    with np.errstate(all="ignore"):  # infinite losses are as silent as in a kernel
        return float(weight @ losses)


def require_row_losses(criterion: Any) -> None:
    """Raise NotImplementedError if a criterion cannot say what each row costs, as weights of rows need."""
    own = getattr(type(criterion), "row_losses", None)
    if own is None or own is Criterion.row_losses:
        Criterion.row_losses(criterion, [], [])


def step_by_modules(
    step: Any, x: Any, target: Any, weight: Array | None = None, *, buffers: list[Array] | None
) -> tuple[float, Any]:
    """Run one step; return loss and output.

    Parameters
    ----------
    step
        Has model, criterion, optimizer, clip_norm and clip_value.
    x, target : array
        A batch.
    weight : array (N,), optional
        What each row counts. A criterion that knows no weights says what its rows cost.
    buffers : list of array or None
        Those of the model, if a loss that is not finite is to move nothing: the forward has moved them by then.
    """
    before = [array.copy() for array in buffers or ()]
    output = step.model.forward(x)
    loss = loss_of(step.criterion, output, target, weight)
    if buffers is not None and not math.isfinite(loss):
        for array, kept in zip(buffers, before, strict=True):
            array[...] = kept
        return loss, output
    grad = step.criterion.backward(output, target)
    if weight is not None:
        grad = grad * weight.astype(grad.dtype).reshape(-1, *[1] * (grad.ndim - 1))
    protocol.backward(step.model, x, grad, accumulate=False)
    if step.clip_norm is not None:
        clip_grad_norm_(step.model, step.clip_norm)
    if step.clip_value is not None:
        clip_grad_value_(step.model, step.clip_value)
    step.optimizer.step()
    return loss, output
