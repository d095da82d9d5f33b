"""LambdaLR multiplies the learning rate by whatever a function says."""

from collections.abc import Callable

from ...checks import as_at_least_zero
from ..optimizer import Optimizer
from .schedule import LRScheduler


class LambdaLR(LRScheduler):
    """``base_lr * lr_lambda(epoch)``, as PyTorch's.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to set.
    lr_lambda : callable
        Takes the epoch, an int from 0 on, and returns a factor that is at least 0.

    Raises
    ------
    TypeError
        If ``lr_lambda`` cannot be called, or returns no number.
    ValueError
        If it returns a number below 0, or one that is not finite.

    Notes
    -----
    `state_dict` does not hold the function. Pickles do, by its name: a lambda has none.

    References
    ----------
    PyTorch, ``torch.optim.lr_scheduler.LambdaLR``.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        if not callable(lr_lambda):
            raise TypeError(f"lr_lambda must be a function of the epoch, got {lr_lambda!r}")
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        return self.base_lr * as_at_least_zero(self.lr_lambda(epoch), f"lr_lambda({epoch})")
