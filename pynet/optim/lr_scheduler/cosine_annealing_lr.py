"""CosineAnnealingLR lets the learning rate fall along half a cosine."""

import math

from ...checks import as_at_least_zero, as_size
from ..optimizer import Optimizer
from .schedule import LRScheduler


class CosineAnnealingLR(LRScheduler):
    """``eta_min + (base_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2``, as PyTorch's.

    After ``T_max`` it rises again, to ``base_lr`` at ``2 * T_max``, and so on.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to set.
    T_max : int
        Epochs from ``base_lr`` to ``eta_min``; at least 1.
    eta_min : float, default 0
        The lowest learning rate; at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or out of range.

    References
    ----------
    Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = as_size(T_max, "T_max", 1)
        self.eta_min = as_at_least_zero(eta_min, "eta_min")
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        return self.eta_min + (self.base_lr - self.eta_min) * (1 + math.cos(math.pi * epoch / self.T_max)) / 2
