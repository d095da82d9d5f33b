"""ExponentialLR multiplies the learning rate by a factor at every epoch."""

from ...checks import as_at_least_zero
from ..optimizer import Optimizer
from .schedule import LRScheduler


class ExponentialLR(LRScheduler):
    """``base_lr * gamma ** epoch``, as PyTorch's.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to set.
    gamma : float
        The factor; at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or out of range.

    References
    ----------
    PyTorch, ``torch.optim.lr_scheduler.ExponentialLR``.
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = as_at_least_zero(gamma, "gamma")
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        return self.base_lr * self.gamma**epoch
