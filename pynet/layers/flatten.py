"""Flatten makes one axis of several."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy.typing as npt

from ..arrays import Array, as_gradient, as_input
from ..checks import as_int
from ..errors import ShapeError
from ..module import Layer, named
from ..watched import Watched

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Flatten(Layer):
    """The axes from ``start_dim`` to ``end_dim`` become one; as PyTorch's.

    Parameters
    ----------
    start_dim, end_dim : int, default 1 and -1
        The first and the last of them; negative ones count from the end.

    Shapes
    ------
    With the defaults, input (N, ...) and output (N, features). The output is a view of the input where that is
    contiguous; float32 and float64 are kept.

    Raises
    ------
    ShapeError
        If the input does not have these axes, in this order.
    TypeError
        If an argument is no int.
    """

    start_dim = Watched(as_int, "The first axis that goes in.")
    end_dim = Watched(as_int, "The last one.")

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the input in its new shape."""
        array = as_input(input, "input")
        self.output = output = array.reshape(self._flat(array.shape))
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output`` in the shape of ``input``."""
        at = as_input(input, "input")
        return as_gradient(grad_output, at, self._flat(at.shape)).reshape(at.shape)

    def _flat(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        axes = max(len(shape), 1)
        start, end = (axis + axes if axis < 0 else axis for axis in (self.start_dim, self.end_dim))
        if not 0 <= start <= end < axes:
            raise ShapeError(f"input has shape {shape}, which has no axes {self.start_dim} to {self.end_dim}")
        return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.flatten(self.start_dim, self.end_dim)
