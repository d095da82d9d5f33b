"""MSELoss: the squared error averaged over all elements, as in PyTorch."""

from __future__ import annotations

from ..checks import as_reduction
from ..watched import Watched
from .loss import Loss


class MSELoss(Loss):
    """``mean((input - target)**2)`` over all elements, as PyTorch's.

    The gradient is ``2 * (input - target)``, divided by the number of elements if the loss is their mean.

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
    Bishop, "Pattern Recognition and Machine Learning", Springer, 2006, section 5.2.
    """

    _kernel = "mse"

    reduction = Watched(as_reduction, "What is made of the losses.")

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction
