"""GaussianNLLLoss: the likelihood under normal distributions, as in PyTorch."""

from __future__ import annotations

from ..checks import as_flag, as_positive, as_reduction
from ..watched import Watched
from .loss import Loss, Options


class GaussianNLLLoss(Loss):
    """The mean of ``(log(v) + (m - t)**2 / v) / 2`` over all targets t, for means m and variances v; as PyTorch's.

    One input holds both: means in the first half of the columns, variances in the others, so that a network learns how
    sure it can be. It equals ``torch.nn.GaussianNLLLoss()(input[:, :k], target, input[:, k:])``. Variances below eps
    count as eps; their gradient is the one at eps, so that they do not get stuck there.

    Parameters
    ----------
    full : bool, default False
        Whether to add the constant log(2 pi) / 2.
    eps : float, default 1e-6
        The smallest variance that counts.
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the losses of all elements are averaged, added up, or returned as they are; then `backward` gives the
        gradient of their sum.

    Shapes
    ------
    input (N, 2 k): k means, then k variances; target (N, k), or (N,) for k = 1; weight of the calls (N,): see
    `Criterion`. The loss is a scalar of the input's dtype, or (N, k) with ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ValueError
        If the batch is empty, or a variance is negative, or an option is out of range.

    References
    ----------
    Nix, Weigend, "Estimating the mean and variance of the target probability distribution", ICNN 1994.
    """

    _kernel = "gaussian_nll_loss"

    full = Watched(as_flag, "Whether to add log(2 pi) / 2.")
    eps = Watched(as_positive, "The smallest variance that counts.")
    reduction = Watched(as_reduction, "What is made of the losses.")

    def __init__(self, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        self.full, self.eps, self.reduction = full, eps, reduction

    def _options(self) -> Options:
        return Options(number=self.eps, full=self.full)
