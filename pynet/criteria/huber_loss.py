"""HuberLoss: squared errors that go on as straight lines, as in PyTorch."""

from __future__ import annotations

from ..checks import as_positive, as_reduction
from ..watched import Watched
from .loss import Loss, Options


class HuberLoss(Loss):
    """The mean of ``e**2 / 2`` where ``e = abs(input - target) < delta``, else of ``delta * (e - delta / 2)``.

    PyTorch's. The gradient is ``input - target``, held between -delta and delta, divided as the loss is: a few targets
    far off do not decide.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the losses of all elements are averaged, added up, or returned as they are; then `backward` gives the
        gradient of their sum.
    delta : float, default 1.0
        From which error on it is a straight line.

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
    Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964.
    """

    _kernel = "huber_loss"

    reduction = Watched(as_reduction, "What is made of the losses.")
    delta = Watched(as_positive, "From which error on it is a straight line.")

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        self.reduction, self.delta = reduction, delta

    def _options(self) -> Options:
        return Options(number=self.delta)
