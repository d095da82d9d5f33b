"""Clipping keeps gradients from getting large: all of them by their common norm, or each number by itself."""

import math
from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array
from ..checks import as_number
from ..freezing import learning

# PyTorch's, which keeps a norm of 0 from being divided by.
_EPS = 1e-6


def clip_grad_norm_(model: Any, max_norm: float, norm_type: float = 2.0) -> float:
    """Scale all gradients of a model by ``min(max_norm / (norm + 1e-6), 1)``, as PyTorch's; return the norm before.

    ``norm = (sum |g| ** norm_type) ** (1 / norm_type)`` over all numbers of all gradients, or ``max |g|`` for inf.

    Parameters
    ----------
    model : module
        Whose gradients to scale, after `backward` and before the optimizer's ``step()``.
    max_norm : float
        The largest norm to leave as it is; at least 0, and inf to measure only.
    norm_type : float, default 2
        Above 0; may be inf.

    Returns
    -------
    float
        The norm; 0 if there are no gradients yet.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is no module, or a number is out of range.

    Notes
    -----
    A norm that is not finite is no error, as PyTorch's is not: NaN makes all gradients NaN; inf makes them 0, and NaN
    where they were inf. ``math.isfinite`` of what is returned tells before the optimizer's ``step()``.

    Sums are taken in double. Gradients that do not exist yet, and frozen ones, count nothing. An array that two layers
    share counts once for each gradient, where PyTorch counts their sum.

    References
    ----------
    Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
    """
    limit = _as_limit(max_norm, "max_norm")
    order = as_number(norm_type, "norm_type")
    if not order > 0:
        raise ValueError(f"norm_type must be above 0, got {order}")
    with_gradients = _with_gradients(model, "clip_grad_norm_")
    norm = _total_norm([p.gradient for p in with_gradients if p.gradient is not None], order)
    coefficient = limit / (norm + _EPS)
    if not coefficient >= 1:  # NaN scales too
        with np.errstate(invalid="ignore"):
            protocol.store_gradients(with_gradients, lambda gradient: gradient * coefficient)
    return norm


def clip_grad_value_(model: Any, clip_value: float) -> None:
    """Bring every number of all gradients of a model into ``[-clip_value, clip_value]``, as PyTorch's.

    Parameters
    ----------
    model : module
        Whose gradients to clip, after `backward` and before the optimizer's ``step()``.
    clip_value : float
        At least 0.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is no module, or ``clip_value`` out of range.

    Notes
    -----
    NaN stays NaN. Gradients that do not exist yet, and frozen ones, are left out.

    References
    ----------
    PyTorch, ``torch.nn.utils.clip_grad_value_``.
    """
    limit = _as_limit(clip_value, "clip_value")
    with_gradients = _with_gradients(model, "clip_grad_value_")
    with np.errstate(over="ignore"):  # a limit that float32 does not hold is none
        protocol.store_gradients(with_gradients, lambda gradient: np.clip(gradient, -limit, limit))


def _as_limit(value: Any, name: str) -> float:
    limit = as_number(value, name)
    if not limit >= 0:
        raise ValueError(f"{name} must be at least 0, got {limit}")
    return limit


def _with_gradients(model: Any, caller: str) -> list[protocol.Parameter]:
    if not protocol.is_module(model):
        raise TypeError(
            f"model must be a module, got {model if isinstance(model, type) else type(model).__name__}: "
            f"write {caller}(model, ...), not its class or its parameters"
        )
    return [p for p in learning(model) if p.gradient is not None]


def _total_norm(gradients: list[Array], order: float) -> float:
    largest = float(np.max([np.max(np.abs(gradient), initial=0) for gradient in gradients], initial=0))
    if order == math.inf or not 0 < largest < math.inf:
        return largest
    # In units of the largest, no power of them is too large for a double.
    sums = [np.sum(np.abs(np.divide(gradient, largest, dtype=np.float64)) ** order) for gradient in gradients]
    return largest * math.pow(sum(sums), 1 / order)
