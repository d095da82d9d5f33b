"""PoissonNLLLoss: the likelihood of counts, as in PyTorch."""

from __future__ import annotations

from ..checks import as_flag, as_positive, as_reduction
from ..watched import Watched
from .loss import Loss, Options


class PoissonNLLLoss(Loss):
    """The mean of ``exp(input) - t * input`` over all elements, for counts t and the logarithms of what is expected.

    PyTorch's. The gradient is ``exp(input) - t``, divided as the loss is.

    Parameters
    ----------
    log_input : bool, default True
        Whether inputs are logarithms; else it is ``input - t * log(input + eps)``, with gradient
        ``1 - t / (input + eps)``.
    full : bool, default False
        Whether to add log(t!) by Stirling's formula, ``t log(t) - t + log(2 pi t) / 2`` where t > 1.
    eps : float, default 1e-8
        What keeps log(0) away.
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
        If the batch is empty, or an option is out of range.

    References
    ----------
    McCullagh, Nelder, "Generalized Linear Models", 2nd edition, Chapman and Hall, 1989, chapter 6.
    """

    _kernel = "poisson_nll_loss"

    log_input = Watched(as_flag, "Whether inputs are logarithms.")
    full = Watched(as_flag, "Whether to add log(t!).")
    eps = Watched(as_positive, "What keeps log(0) away.")
    reduction = Watched(as_reduction, "What is made of the losses.")

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        self.log_input, self.full, self.eps, self.reduction = log_input, full, eps, reduction

    def _options(self) -> Options:
        return Options(number=self.eps, of_logs=self.log_input, full=self.full)
