"""NAdam: Adam that looks ahead, as Nesterov's momentum does, with a momentum that grows."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..checks import as_at_least_zero
from .adam import as_betas
from .groups import GivenGroups
from .native import NativeOptimizer
from .optimizer import Hyper


class NAdam(NativeOptimizer):
    """NAdam, as PyTorch's.

    With ``g = grad + weight_decay * p``, Adam's ``m = beta1 * m + (1 - beta1) * g`` and
    ``v = beta2 * v + (1 - beta2) * g**2``, the momentum ``mu(t) = beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))`` of a
    parameter's t-th step, and the product M(t) of all momenta up to it::

        step = (1 - mu(t)) / (1 - M(t)) * g + mu(t + 1) / (1 - M(t + 1)) * m
        p -= lr * step / (sqrt(v / (1 - beta2**t)) + eps)

    Parameters
    ----------
    model : module
        Whose parameters to move.
    lr : float, default 2e-3
        The learning rate, at least 0; can be assigned at any time.
    betas : (float, float), default (0.9, 0.999)
        As in the formula, each in [0, 1).
    eps : float, default 1e-8
        At least 0.
    weight_decay : float, default 0
        At least 0.
    momentum_decay : float, default 4e-3
        How fast the momentum grows; at least 0.
    groups : iterable of dict, default ()
        ``{"parameters": ..., "lr": ..., "weight_decay": ...}`` for each group of parameters that has an lr or a
        weight_decay of its own: see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number or out of range, or a group matches nothing.

    Notes
    -----
    M is kept for each parameter, in double, as ``mu_product``; PyTorch keeps it in its default dtype.

    References
    ----------
    Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    Examples
    --------
    >>> optimizer = pynet.optim.NAdam(model, weight_decay=1e-4)
    """

    options = ("lr", "betas", "eps", "weight_decay", "momentum_decay")
    buffers = ("exp_avg", "exp_avg_sq", "mu_product")
    numbers = ("mu_product",)

    betas = Hyper(as_betas, "How much of the running means is kept.")
    eps = Hyper(as_at_least_zero, "Added to the root of the mean square.")
    weight_decay = Hyper(as_at_least_zero, "How much of the parameter is added to its gradient.")
    momentum_decay = Hyper(as_at_least_zero, "How fast the momentum grows.")

    def __init__(
        self,
        model: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        *,
        groups: GivenGroups = (),
    ) -> None:
        super().__init__(model, lr, groups)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.momentum_decay = momentum_decay

    def _start(self, name: str) -> float:
        return 1.0 if name == "mu_product" else 0.0

    def _update(self) -> _core.Update:
        return _core.Update.nadam(
            self.lr, self.betas[0], self.betas[1], self.eps, self.weight_decay, self.momentum_decay
        )
