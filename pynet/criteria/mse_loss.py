"""MSELoss: the squared error averaged over all elements, as in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..checks import as_reduction
from ..criterion import Criterion
from ..module import named
from ..watched import Watched

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class MSELoss(Criterion):
    """``mean((input - target)**2)`` over all elements, as PyTorch's.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether the squared errors are averaged, added up, or returned as they are; then `backward` gives the gradient
        of their sum.

    Shapes
    ------
    input (N, ...), target the same: nothing is broadcast. The loss is a scalar of the input's dtype, or (N, ...) with
    ``reduction="none"``.

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If the batch is empty, or ``reduction`` is none of the three.
    """

    reduction = Watched(as_reduction, "What is made of the squared errors.")

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    @named
    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Any:
        """Return the loss; in float32 it is summed in double."""
        self.output = output = _core.mse_forward(input, target, self.reduction)
        return output

    @named
    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return ``2 * (input - target)``, divided by the number of elements if the loss is their mean."""
        self.grad_output = grad = _core.mse_backward(input, target, self.reduction)
        return grad

    def add_to(self, plan: Plan) -> None:
        """Describe this criterion to a compiled step."""
        plan.require_one_number(self.reduction)
        plan.mse(self.reduction)

    @named
    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return each row's squared errors, added up, and divided by the number of elements if the loss is so."""
        errors: Array = _core.mse_forward(input, target, "none")
        rows: Array = errors.reshape(len(errors), -1).sum(axis=1) / (errors.size if self.reduction == "mean" else 1)
        return rows
