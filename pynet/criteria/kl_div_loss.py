"""KLDivLoss: the Kullback-Leibler divergence, as in PyTorch."""

from __future__ import annotations

from typing import Any

from ..checks import as_choice, as_flag
from ..watched import Watched
from .loss import Loss, Options


def _as_reduction(value: Any, name: str) -> str:
    return as_choice(value, name, ("mean", "batchmean", "sum", "none"))


class KLDivLoss(Loss):
    """The mean of ``t * (log(t) - input)`` over all elements, from log-probabilities and probabilities t; as PyTorch's.

    Where t is 0 it is 0. The divergence of distributions in rows is the sum over a row: ``reduction="batchmean"``. The
    gradient is ``-t``, divided as the loss is.

    Parameters
    ----------
    reduction : {"mean", "batchmean", "sum", "none"}, default "mean"
        Whether the losses of all elements are averaged, added up and divided by the number of rows, added up, or
        returned as they are; then `backward` gives the gradient of their sum.
    log_target : bool, default False
        Whether targets are log-probabilities too: ``exp(t) * (t - input)``.

    Shapes
    ------
    input (N, ...), target the same: nothing is broadcast; weight of the calls (N,): see `Criterion`. The loss is a
    scalar of the input's dtype, or (N, ...) with ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If the batch is empty, or ``reduction`` is none of the four.

    References
    ----------
    Kullback, Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22, 1951.
    """

    _kernel = "kl_div_loss"

    reduction = Watched(_as_reduction, "What is made of the losses.")
    log_target = Watched(as_flag, "Whether targets are log-probabilities too.")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        self.reduction, self.log_target = reduction, log_target

    def _options(self) -> Options:
        return Options(of_logs=self.log_target)
