"""NLLLoss: the likelihood of classes from log-probabilities, as in PyTorch."""

from __future__ import annotations

import numpy.typing as npt

from .class_loss import ClassLoss


class NLLLoss(ClassLoss):
    """``-weight[y] * input[y]`` per row with the label y, from log-probabilities; as PyTorch's.

    Put it behind a `LogSoftMax`; from scores, `CrossEntropyLoss` does both at once. With target probabilities t it is
    ``-sum_k weight_k t_k input_k``, which PyTorch's does not take. The mean divides by the number of rows, or for
    labels by the sum of ``weight[y]``.

    Parameters
    ----------
    weight : array (classes,), optional
        What each class counts; 1 unless given.
    ignore_index : int, default -100
        Rows with this label count nothing.
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the rows' losses are averaged, added up, or returned as they are; then `backward` gives the gradient of
        their sum.

    Shapes
    ------
    input (N, classes) log-probabilities; target (N,) integer labels, or (N, classes) probabilities; weight of the calls
    (N,): see `Criterion`. The loss is a scalar of the input's dtype, or (N,) with ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ValueError
        If the batch is empty, a label is no class, no row counts in a mean, or an option is out of range.

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs, with relationships to
    statistical pattern recognition", Neurocomputing, Springer, 1990.
    """

    _of_logs = True

    def __init__(self, weight: npt.ArrayLike | None = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        self.weight, self.ignore_index, self.reduction = weight, ignore_index, reduction
