"""RMSprop: steps in units of the gradients' running root mean square."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..checks import as_at_least_zero, as_flag, as_share
from .groups import GivenGroups
from .native import NativeOptimizer
from .optimizer import Hyper


class RMSprop(NativeOptimizer):
    """RMSprop, as PyTorch's: ``p -= lr * g / (sqrt(s) + eps)`` with a running mean s of g².

    ``g = grad + weight_decay * p`` and ``s = alpha * s + (1 - alpha) * g**2``; centered, the root is that of
    ``s - m**2`` with ``m = alpha * m + (1 - alpha) * g``; with momentum ``v = momentum * v + g / (root + eps)`` and
    ``p -= lr * v``.

    Parameters
    ----------
    model : module
        Whose parameters to move.
    lr : float, default 1e-2
        The learning rate, at least 0; can be assigned at any time.
    alpha : float, default 0.99
        How much of the running means is kept, from 0 to 1.
    eps : float, default 1e-8
        At least 0.
    weight_decay, momentum : float, default 0
        As in the formula, at least 0.
    centered : bool, default False
        Whether to divide by the deviation instead of the root mean square.
    groups : iterable of dict, default ()
        ``{"parameters": ..., "lr": ..., "weight_decay": ...}`` for each group of parameters that has an lr or a
        weight_decay of its own: see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number or out of range, or a group matches nothing.

    Notes
    -----
    Where rounding makes ``s - m**2`` negative, it counts as 0; PyTorch's parameter becomes NaN there.

    References
    ----------
    Tieleman, Hinton, "Lecture 6.5 - RMSProp", COURSERA: Neural networks for machine learning, 2012.

    Examples
    --------
    >>> optimizer = pynet.optim.RMSprop(model, 1e-3, momentum=0.9)
    """

    options = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered")
    late_buffers = ("momentum_buffer", "grad_avg")

    alpha = Hyper(as_share, "How much of the running means is kept.")
    eps = Hyper(as_at_least_zero, "Added to the root.")
    weight_decay = Hyper(as_at_least_zero, "How much of the parameter is added to its gradient.")
    momentum = Hyper(as_at_least_zero, "How much of the velocity is kept.")
    centered = Hyper(as_flag, "Whether to divide by the deviation.")

    def __init__(
        self,
        model: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        groups: GivenGroups = (),
    ) -> None:
        super().__init__(model, lr, groups)
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay
        self.momentum, self.centered = momentum, centered

    @property
    def buffers(self) -> tuple[str, ...]:  # type: ignore[override]
        """The mean of squares; the velocity, where there is momentum; the mean of gradients, if centered."""
        late = (self.momentum > 0, self.centered)
        return ("square_avg", *(name for name, used in zip(self.late_buffers, late, strict=True) if used))

    def _update(self) -> _core.Update:
        return _core.Update.rmsprop(self.lr, self.alpha, self.eps, self.weight_decay, self.momentum, self.centered)
