"""LinearLR changes the learning rate by equal amounts: a warm-up."""

from ...checks import as_number, as_share, as_size
from ..optimizer import Optimizer
from .schedule import LRScheduler


class LinearLR(LRScheduler):
    """``base_lr * (start_factor + (end_factor - start_factor) * min(epoch / total_iters, 1))``, as PyTorch's.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to set.
    start_factor : float, default 1/3
        The factor at first; above 0, at most 1.
    end_factor : float, default 1
        The factor from ``total_iters`` on; from 0 to 1.
    total_iters : int, default 5
        Epochs from the one to the other; at least 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or out of range.

    References
    ----------
    PyTorch, ``torch.optim.lr_scheduler.LinearLR``.
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        self.start_factor = as_number(start_factor, "start_factor")
        if not 0 < self.start_factor <= 1:
            raise ValueError(f"start_factor must be above 0 and at most 1, got {start_factor}")
        self.end_factor = as_share(end_factor, "end_factor")
        self.total_iters = as_size(total_iters, "total_iters", 1)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        done = min(epoch / self.total_iters, 1)
        return self.base_lr * (self.start_factor + (self.end_factor - self.start_factor) * done)
