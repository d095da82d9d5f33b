"""L1Loss: the absolute error, as in PyTorch."""

from __future__ import annotations

from ..checks import as_reduction
from ..watched import Watched
from .loss import Loss


class L1Loss(Loss):
    """``mean(abs(input - target))`` over all elements, as PyTorch's.

    The gradient is ``sign(input - target)``, 0 where they are equal, divided as the loss is.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the losses of all elements are averaged, added up, or returned as they are; then `backward` gives the
        gradient of their sum.

    Shapes
    ------
    input (N, ...), target the same: nothing is broadcast; weight of the calls (N,): see `Criterion`. The loss is a
    scalar of the input's dtype, or (N, ...) with ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If the batch is empty, or ``reduction`` is none of the three.

    References
    ----------
    Bloomfield, Steiger, "Least Absolute Deviations: Theory, Applications, and Algorithms", Birkhäuser, 1983.
    """

    _kernel = "l1_loss"

    reduction = Watched(as_reduction, "What is made of the losses.")

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction
