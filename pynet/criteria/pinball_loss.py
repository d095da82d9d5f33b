"""PinballLoss: what is least at the quantiles of the targets."""

from __future__ import annotations

import numpy.typing as npt

from ..checks import as_reduction
from ..watched import Watched
from .loss import Loss, Options
from .options import as_quantiles


class PinballLoss(Loss):
    """The mean of ``max(q * (t - x), (q - 1) * (t - x))`` over all rows and quantiles q, a column of the input each.

    Each column x learns below which number the share q of the targets lies: with (0.05, 0.5, 0.95), a median and an
    interval of 90 %. The gradient is ``-q`` where x is below t, ``1 - q`` where it is above, and 0 where they are
    equal, divided as the loss is: 0 lies between the two, as for `L1Loss`, and lets what is exact stay.

    Parameters
    ----------
    quantiles : sequence of float
        Between 0 and 1, each above the one before.
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the losses of all elements are averaged, added up, or returned as they are; then `backward` gives the
        gradient of their sum.

    Shapes
    ------
    input (N, quantiles), target (N,) or (N, 1); or input (N, k, quantiles), target (N, k); weight of the calls (N,):
    see `Criterion`. The loss is a scalar of the input's dtype, or as the input with ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ValueError
        If the batch is empty, or an option is out of range.

    References
    ----------
    Koenker, Bassett, "Regression quantiles", Econometrica 46, 1978.
    """

    _kernel = "pinball_loss"

    quantiles = Watched(as_quantiles, "Shares of the targets, one for each column.")
    reduction = Watched(as_reduction, "What is made of the losses.")

    def __init__(self, quantiles: npt.ArrayLike, reduction: str = "mean") -> None:
        self.quantiles, self.reduction = quantiles, reduction

    def _options(self) -> Options:
        return Options(numbers=self.quantiles)
