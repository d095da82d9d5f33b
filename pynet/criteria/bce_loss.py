"""BCELoss: binary cross-entropy of probabilities, as in PyTorch."""

from __future__ import annotations

from ..checks import as_reduction
from ..watched import Watched
from .loss import Loss


class BCELoss(Loss):
    """The mean of ``-t log(p) - (1 - t) log(1 - p)`` over all elements, from probabilities p; as PyTorch's.

    Put it behind a `Sigmoid`; from scores, `BCEWithLogitsLoss` does both at once and more exactly. Logarithms are not
    less than -100, with which PyTorch keeps the loss finite. The gradient is ``(p - t) / max(p * (1 - p), 1e-12)``,
    divided as the loss is.

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
        If the batch is empty, or a number of input or target is not from 0 to 1 (NaN stays NaN), or ``reduction`` is
        none of the three.

    References
    ----------
    Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society B 20, 1958.
    """

    _kernel = "bce_loss"

    reduction = Watched(as_reduction, "What is made of the losses.")

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction
