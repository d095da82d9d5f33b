"""ClassLoss: the base of criteria with labels for targets, and a weight for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..checks import as_int, as_reduction
from ..criterion import Criterion
from ..module import named
from ..watched import Watched
from .options import as_class_weight

if TYPE_CHECKING:
    from ..compiled.plan import Plan


def _as_label(value: Any, name: str) -> int:
    label = as_int(value, name)
    if not -(2**63) <= label < 2**63:
        raise ValueError(f"{name} must fit 64 bits, got {label}")
    return label


class ClassLoss(Criterion):
    """Base of `CrossEntropyLoss` and `NLLLoss`: the one takes scores, the other their log-probabilities."""

    takes_labels = True
    _of_logs: bool

    weight = Watched(as_class_weight, "What each class counts, (classes,), or None.")
    ignore_index = Watched(_as_label, "Rows with this label count nothing.")
    reduction = Watched(as_reduction, "What is made of the rows' losses.")

    def _options(self) -> tuple[Array | None, int, float, str]:
        own = vars(self)
        return own["weight"], own["ignore_index"], own.get("label_smoothing", 0.0), own["reduction"]

    @named
    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Any:
        """Return the loss; in float32 it is summed in double."""
        self.output = output = _core.class_loss_forward(self._of_logs, input, target, weight, *self._options())
        return output

    @named
    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Array:
        """Return the gradient of the loss; with ``reduction="none"``, of the sum of the rows' losses."""
        self.grad_output = grad = _core.class_loss_backward(self._of_logs, input, target, weight, *self._options())
        return grad

    def add_to(self, plan: Plan) -> None:
        """Describe this criterion to a compiled step."""
        plan.require_one_number(self.reduction)
        plan.class_loss(self._of_logs, *self._options())

    @named
    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return the rows' losses, divided as the loss is."""
        class_weight, ignored, smoothing, reduction = self._options()

        def losses(reduction: str) -> Any:
            return _core.class_loss_forward(
                self._of_logs, input, target, None, class_weight, ignored, smoothing, reduction
            )

        each: Array = losses("none")
        with np.errstate(all="ignore"):  # infinite losses are as silent as in a kernel
            total = each.sum(dtype=np.float64)
            if reduction == "mean" and total:
                each *= losses("mean") / total
        return each
