"""SmoothL1Loss: the absolute error, squared near 0, as in PyTorch."""

from __future__ import annotations

from ..checks import as_at_least_zero, as_reduction
from ..watched import Watched
from .loss import Loss, Options


class SmoothL1Loss(Loss):
    """The mean of ``e**2 / (2 * beta)`` where ``e = abs(input - target) < beta``, else of ``e - beta / 2``.

    PyTorch's. The gradient is ``(input - target) / beta`` there, else its sign, divided as the loss is. It is
    `HuberLoss` with ``delta=beta``, divided by beta.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the losses of all elements are averaged, added up, or returned as they are; then `backward` gives the
        gradient of their sum.
    beta : float, default 1.0
        Up to which error it is squared; with 0 it is `L1Loss`.

    Shapes
    ------
    input (N, ...), target the same: nothing is broadcast; weight of the calls (N,): see `Criterion`. The loss is a
    scalar of the input's dtype, or (N, ...) with ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If the batch is empty, or an option is out of range.

    References
    ----------
    Girshick, "Fast R-CNN", ICCV 2015.
    """

    _kernel = "smooth_l1_loss"

    reduction = Watched(as_reduction, "What is made of the losses.")
    beta = Watched(as_at_least_zero, "Up to which error it is squared.")

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        self.reduction, self.beta = reduction, beta

    def _options(self) -> Options:
        return Options(number=self.beta)
