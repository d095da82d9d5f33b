"""StepLR multiplies the learning rate by a factor every so many epochs."""

from ...checks import as_at_least_zero, as_size
from ..optimizer import Optimizer
from .schedule import LRScheduler


class StepLR(LRScheduler):
    """``base_lr * gamma ** (epoch // step_size)``, as PyTorch's.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to set.
    step_size : int
        After how many epochs; at least 1.
    gamma : float, default 0.1
        The factor; at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or out of range.

    References
    ----------
    PyTorch, ``torch.optim.lr_scheduler.StepLR``.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = as_size(step_size, "step_size", 1)
        self.gamma = as_at_least_zero(gamma, "gamma")
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        return self.base_lr * self.gamma ** (epoch // self.step_size)
