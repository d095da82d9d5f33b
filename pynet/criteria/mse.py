"""MSE: the notebook's squared error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..criterion import Criterion
from ..module import named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class MSE(Criterion):
    """``sum((input - target)**2) / N`` with N the batch size, as in the notebook.

    PyTorch's mean over all elements is `MSELoss`.

    Shapes
    ------
    input (N, ...), target the same: nothing is broadcast. The loss is a scalar of the input's dtype.

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If the batch is empty.
    """

    @named
    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Any:
        """Return the loss; in float32 it is summed in double."""
        self.output = output = _core.mse_forward(input, target, "batch")
        return output

    @named
    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return ``2 * (input - target) / N``."""
        self.grad_output = grad = _core.mse_backward(input, target, "batch")
        return grad

    def add_to(self, plan: Plan) -> None:
        """Describe this criterion to a compiled step."""
        plan.mse("batch")

    @named
    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return ``sum((input - target)**2) / N`` row by row."""
        errors: Array = _core.mse_forward(input, target, "none")
        rows: Array = errors.reshape(len(errors), -1).sum(axis=1) / len(errors)
        return rows
