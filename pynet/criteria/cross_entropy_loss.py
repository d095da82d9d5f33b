"""CrossEntropyLoss between scores and targets: PyTorch's, exact at any scale."""

from __future__ import annotations

import numpy.typing as npt

from ..checks import as_share
from ..watched import Watched
from .class_loss import ClassLoss


class CrossEntropyLoss(ClassLoss):
    """``-sum_k a_k log softmax(input)_k`` per row, from scores (logits); as PyTorch's.

    With target probabilities t (for a label y: 1 at y, else 0), ``a_k = weight_k ((1 - label_smoothing) t_k +
    label_smoothing / classes)``. The mean divides by the number of rows, or for labels by the sum of ``weight[y]``. The
    gradient is ``softmax(input)_k * sum_j a_j - a_k``, divided as the loss is.

    Parameters
    ----------
    weight : array (classes,), optional
        What each class counts; 1 unless given.
    ignore_index : int, default -100
        Rows with this label count nothing.
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the rows' losses are averaged, added up, or returned as they are; then `backward` gives the gradient of
        their sum.
    label_smoothing : float, default 0.0
        The share of every target that is spread evenly over all classes, from 0 to 1.

    Shapes
    ------
    input (N, classes) scores; target (N,) integer labels, or (N, classes) probabilities; weight of the calls (N,): see
    `Criterion`. The loss is a scalar of the input's dtype, or (N,) with ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ValueError
        If the batch is empty, a label is no class, no row counts in a mean, or an option is out of range.

    Notes
    -----
    Computed as ``(m - x_y) + log1p(sum_{j != argmax} exp(x_j - m))`` with the row's maximum m, in double: nothing
    cancels, so a loss of 1e-8 keeps its digits.

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs, with relationships to
    statistical pattern recognition", Neurocomputing, Springer, 1990.

    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture for computer vision", CVPR 2016,
    for ``label_smoothing``.
    """

    _of_logs = False

    label_smoothing = Watched(as_share, "The share of every target that is spread over all classes.")

    def __init__(
        self,
        weight: npt.ArrayLike | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        self.weight, self.ignore_index = weight, ignore_index
        self.reduction, self.label_smoothing = reduction, label_smoothing
