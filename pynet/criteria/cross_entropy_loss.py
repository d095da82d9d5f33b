"""CrossEntropyLoss between scores and targets: PyTorch's, exact at any scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, as_input
from ..checks import as_int, as_reduction, as_share
from ..criterion import Criterion
from ..errors import ShapeError
from ..module import named
from ..watched import Watched

if TYPE_CHECKING:
    from ..compiled.plan import Plan


def _as_class_weight(value: Any, name: str) -> Array | None:
    if value is None:
        return None
    weight = as_input(value, name).copy()
    if weight.ndim != 1:
        raise ShapeError(f"{name} has shape {weight.shape}, expected (classes,)")
    if not np.all((weight >= 0) & (weight < np.inf)):
        raise ValueError(f"{name} must be finite and not negative")
    weight.flags.writeable = False  # what has been checked, and converted for a compiled step, stays
    return weight


def _as_label(value: Any, name: str) -> int:
    label = as_int(value, name)
    if not -(2**63) <= label < 2**63:
        raise ValueError(f"{name} must fit 64 bits, got {label}")
    return label


class CrossEntropyLoss(Criterion):
    """``-sum_k a_k log softmax(input)_k`` per row, from scores (logits); as PyTorch's.

    With target probabilities t (for a label y: 1 at y, else 0), ``a_k = weight_k ((1 - label_smoothing) t_k +
    label_smoothing / classes)``. The mean divides by the number of rows, or for labels by the sum of ``weight[y]``.

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
    input (N, classes) scores; target (N,) integer labels, or (N, classes) probabilities. The loss is a scalar of the
    input's dtype, or (N,) with ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ValueError
        If the batch is empty, a label is no class, no row counts in a mean, or an option is out of range.

    Notes
    -----
    Computed as ``(m - x_y) + log1p(sum_{j != argmax} exp(x_j - m))`` with the row's maximum m, in double: nothing
    cancels, so a loss of 1e-8 keeps its digits. Smoothing: Szegedy et al., "Rethinking the Inception architecture for
    computer vision", CVPR 2016.
    """

    takes_labels = True

    weight = Watched(_as_class_weight, "What each class counts, (classes,), or None.")
    ignore_index = Watched(_as_label, "Rows with this label count nothing.")
    reduction = Watched(as_reduction, "What is made of the rows' losses.")
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

    def _options(self) -> tuple[Array | None, int, float, str]:
        own = vars(self)
        return own["weight"], own["ignore_index"], own["label_smoothing"], own["reduction"]

    @named
    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Any:
        """Return the loss."""
        self.output = output = _core.cross_entropy_loss_forward(input, target, *self._options())
        return output

    @named
    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return ``softmax(input)_k * sum_j a_j - a_k`` per row, divided as the loss is."""
        self.grad_output = grad = _core.cross_entropy_loss_backward(input, target, *self._options())
        return grad

    def add_to(self, plan: Plan) -> None:
        """Describe this criterion to a compiled step."""
        plan.require_one_number(self.reduction)
        plan.cross_entropy_loss(*self._options())

    @named
    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return the rows' losses, divided as the loss is."""
        weight, ignored, smoothing, reduction = self._options()
        each: Array = _core.cross_entropy_loss_forward(input, target, weight, ignored, smoothing, "none")
        total = each.sum(dtype=np.float64)
        if reduction == "mean" and total:
            each *= _core.cross_entropy_loss_forward(input, target, weight, ignored, smoothing, "mean") / total
        return each
