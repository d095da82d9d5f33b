"""Adam and AdamW: steps of a size of their own for every parameter."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..checks import as_at_least_zero, as_fraction
from .groups import GivenGroups
from .native import NativeOptimizer
from .optimizer import Hyper


def as_betas(value: Any, name: str) -> tuple[float, float]:
    """Return two numbers in [0, 1)."""
    try:
        first, second = value
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be two numbers, got {value!r}") from None
    return as_fraction(first, f"{name}[0]"), as_fraction(second, f"{name}[1]")


class Adam(NativeOptimizer):
    """Adam, as PyTorch's: ``p -= lr * m / (sqrt(v) + eps)`` with running means m of g and v of g².

    ``g = grad + weight_decay * p``, ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g**2``, and at
    a parameter's t-th step m is divided by ``1 - beta1**t``, v by ``1 - beta2**t``.

    Parameters
    ----------
    model : module
        Whose parameters to move.
    lr : float, default 1e-3
        The learning rate, at least 0; can be assigned at any time.
    betas : (float, float), default (0.9, 0.999)
        As in the formula, each in [0, 1).
    eps : float, default 1e-8
        At least 0.
    weight_decay : float, default 0
        At least 0.
    groups : iterable of dict, default ()
        ``{"parameters": ..., "lr": ..., "weight_decay": ...}`` for each group of parameters that has an lr or a
        weight_decay of its own: see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number or out of range, or a group matches nothing.

    References
    ----------
    Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    options = ("lr", "betas", "eps", "weight_decay")
    buffers = ("exp_avg", "exp_avg_sq")
    _decoupled = False

    betas = Hyper(as_betas, "How much of the running means is kept.")
    eps = Hyper(as_at_least_zero, "Added to the root of the mean square.")
    weight_decay = Hyper(as_at_least_zero, "How much parameters are drawn towards zero.")

    def __init__(
        self,
        model: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        groups: GivenGroups = (),
    ) -> None:
        super().__init__(model, lr, groups)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def _update(self) -> _core.Update:
        return _core.Update.adam(self.lr, self.betas[0], self.betas[1], self.eps, self.weight_decay, self._decoupled)


class AdamW(Adam):
    """Adam with decoupled weight decay, as PyTorch's: ``p *= 1 - lr * weight_decay`` instead of through the gradient.

    Parameters, errors and the rest as `Adam`; ``weight_decay`` is 0.01 unless given.

    References
    ----------
    Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    _decoupled = True

    def __init__(
        self,
        model: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        groups: GivenGroups = (),
    ) -> None:
        super().__init__(model, lr, betas, eps, weight_decay, groups=groups)
