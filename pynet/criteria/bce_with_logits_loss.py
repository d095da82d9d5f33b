"""BCEWithLogitsLoss: binary cross-entropy of scores, as in PyTorch."""

from __future__ import annotations

import numpy.typing as npt

from ..checks import as_reduction
from ..watched import Watched
from .loss import Loss, Options
from .options import as_pos_weight


class BCEWithLogitsLoss(Loss):
    """The mean of ``-w t log(p) - (1 - t) log(1 - p)`` over all elements, with p = sigmoid(input); as PyTorch's.

    Each column of scores is a question of its own, with yes (1) or no (0), or a probability, for a target. The gradient
    is ``(1 - t) p - w t (1 - p)``, divided as the loss is.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the losses of all elements are averaged, added up, or returned as they are; then `backward` gives the
        gradient of their sum.
    pos_weight : float or array (columns,), optional
        The w: what positive targets count; 1 unless given. Of a column with few of them, negatives / positives makes up
        for it.

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

    Notes
    -----
    Computed as ``(w t + 1 - t) log1p(exp(-|x|))`` plus ``(1 - t) x`` for x > 0 or ``-w t x`` for others: nothing
    cancels, so it is exact at any scale. Targets are not looked into, as in PyTorch.

    References
    ----------
    Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society B 20, 1958.
    """

    _kernel = "bce_with_logits_loss"

    reduction = Watched(as_reduction, "What is made of the losses.")
    pos_weight = Watched(as_pos_weight, "What positive targets count: a number, one for each column, or None.")

    def __init__(self, reduction: str = "mean", pos_weight: npt.ArrayLike | None = None) -> None:
        self.reduction, self.pos_weight = reduction, pos_weight

    def _options(self) -> Options:
        return Options(numbers=self.pos_weight)
