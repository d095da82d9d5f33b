"""SGD: a step against the gradient, with momentum on request."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..checks import as_at_least_zero, as_finite, as_flag
from .groups import GivenGroups
from .native import NativeOptimizer
from .optimizer import Hyper


class SGD(NativeOptimizer):
    """Stochastic gradient descent, as PyTorch's.

    ``g = grad + weight_decay * p``; with momentum ``v = momentum * v + (1 - dampening) * g`` (at a parameter's first
    step ``v = g``) and ``g = g + momentum * v if nesterov else v``; then ``p -= lr * g``.

    Parameters
    ----------
    model : module
        Whose parameters to move.
    lr : float, default 1e-3
        The learning rate, at least 0; can be assigned at any time.
    momentum, dampening, weight_decay : float, default 0
        As in the formula; momentum and weight_decay at least 0.
    nesterov : bool, default False
        Look ahead; needs momentum, and no dampening.
    groups : iterable of dict, default ()
        ``{"parameters": ..., "lr": ..., "weight_decay": ...}`` for each group of parameters that has an lr or a
        weight_decay of its own: see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number or out of range, or a group matches nothing.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013.
    """

    options = ("lr", "momentum", "dampening", "weight_decay", "nesterov")
    late_buffers = ("momentum_buffer",)

    momentum = Hyper(as_at_least_zero, "How much of the velocity is kept.")
    dampening = Hyper(as_finite, "How much of the gradient does not go into the velocity.")
    weight_decay = Hyper(as_at_least_zero, "How much of the parameter is added to its gradient.")
    nesterov = Hyper(as_flag, "Whether to look ahead.")

    def __init__(
        self,
        model: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        groups: GivenGroups = (),
    ) -> None:
        super().__init__(model, lr, groups)
        self.momentum, self.dampening, self.weight_decay = momentum, dampening, weight_decay
        self.nesterov = nesterov
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")

    @property
    def buffers(self) -> tuple[str, ...]:  # type: ignore[override]
        """The velocity, where there is momentum."""
        return ("momentum_buffer",) if self.momentum else ()

    def _update(self) -> _core.Update:
        return _core.Update.sgd(self.lr, self.momentum, self.dampening, self.weight_decay, self.nesterov)
