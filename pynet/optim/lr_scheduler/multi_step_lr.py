"""MultiStepLR multiplies the learning rate by a factor at given epochs."""

from bisect import bisect_right
from collections.abc import Iterable

from ...checks import as_at_least_zero, as_size
from ..optimizer import Optimizer
from .schedule import LRScheduler


class MultiStepLR(LRScheduler):
    """``base_lr * gamma ** (number of milestones <= epoch)``, as PyTorch's.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to set.
    milestones : iterable of int
        At which epochs, in any order; one that is there twice counts twice.
    gamma : float, default 0.1
        The factor; at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or out of range.

    References
    ----------
    PyTorch, ``torch.optim.lr_scheduler.MultiStepLR``.
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        if not isinstance(milestones, Iterable):
            raise TypeError(f"milestones must be a list of ints, got {milestones!r}")
        self.milestones = sorted(as_size(milestone, f"milestones[{i}]") for i, milestone in enumerate(milestones))
        self.gamma = as_at_least_zero(gamma, "gamma")
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        return self.base_lr * self.gamma ** bisect_right(self.milestones, epoch)
