"""Adadelta: steps as large as those before, in proportion to the gradients before."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..checks import as_at_least_zero, as_share
from .groups import GivenGroups
from .native import NativeOptimizer
from .optimizer import Hyper


class Adadelta(NativeOptimizer):
    """Adadelta, as PyTorch's: ``p -= lr * d`` with ``d = g * sqrt(u + eps) / sqrt(v + eps)``.

    ``g = grad + weight_decay * p``, ``v = rho * v + (1 - rho) * g**2``, and after d ``u = rho * u + (1 - rho) * d**2``.

    Parameters
    ----------
    model : module
        Whose parameters to move.
    lr : float, default 1
        The learning rate, at least 0; can be assigned at any time.
    rho : float, default 0.9
        How much of the running means is kept, from 0 to 1.
    eps : float, default 1e-6
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
    Zeiler, "ADADELTA: an adaptive learning rate method", arXiv 1212.5701, 2012.

    Examples
    --------
    >>> optimizer = pynet.optim.Adadelta(model)
    """

    options = ("lr", "rho", "eps", "weight_decay")
    buffers = ("square_avg", "acc_delta")

    rho = Hyper(as_share, "How much of the running means is kept.")
    eps = Hyper(as_at_least_zero, "Added to both mean squares.")
    weight_decay = Hyper(as_at_least_zero, "How much of the parameter is added to its gradient.")

    def __init__(
        self,
        model: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        groups: GivenGroups = (),
    ) -> None:
        super().__init__(model, lr, groups)
        self.rho, self.eps, self.weight_decay = rho, eps, weight_decay

    def _update(self) -> _core.Update:
        return _core.Update.adadelta(self.lr, self.rho, self.eps, self.weight_decay)
