"""Adagrad: steps that get smaller with all that a parameter's gradients have summed up to."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..checks import as_at_least_zero
from .groups import GivenGroups
from .native import NativeOptimizer
from .optimizer import Hyper


class Adagrad(NativeOptimizer):
    """Adagrad, as PyTorch's: ``p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)`` with the sum s of all g².

    ``g = grad + weight_decay * p``, and t counts a parameter's steps from 1.

    Parameters
    ----------
    model : module
        Whose parameters to move.
    lr : float, default 1e-2
        The learning rate, at least 0; can be assigned at any time.
    lr_decay, weight_decay : float, default 0
        As in the formula, at least 0.
    initial_accumulator_value : float, default 0
        What the sums begin with, at least 0; of parameters that have made steps it changes nothing.
    eps : float, default 1e-10
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
    Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> optimizer = pynet.optim.Adagrad(model, 0.1, lr_decay=1e-3)
    """

    options = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
    buffers = ("sum",)

    lr_decay = Hyper(as_at_least_zero, "How fast the learning rate falls with a parameter's steps.")
    weight_decay = Hyper(as_at_least_zero, "How much of the parameter is added to its gradient.")
    initial_accumulator_value = Hyper(as_at_least_zero, "What the sums begin with.")
    eps = Hyper(as_at_least_zero, "Added to the root of the sum.")

    def __init__(
        self,
        model: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        groups: GivenGroups = (),
    ) -> None:
        super().__init__(model, lr, groups)
        self.lr_decay, self.weight_decay, self.eps = lr_decay, weight_decay, eps
        self.initial_accumulator_value = initial_accumulator_value

    def _start(self, name: str) -> float:
        return float(self.initial_accumulator_value)

    def _update(self) -> _core.Update:
        return _core.Update.adagrad(self.lr, self.lr_decay, self.weight_decay, self.eps)
