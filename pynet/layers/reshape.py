"""Reshape gives every sample another shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ..arrays import Array, as_gradient, as_input
from ..checks import as_new_shape
from ..errors import ShapeError
from ..module import Layer, named
from ..watched import Watched
from .unflatten import fill_in

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Reshape(Layer):
    """``output = input.reshape(len(input), *shape)``: all axes but the batch's become others.

    Parameters
    ----------
    *shape : int
        The lengths of the new axes; one of them may be -1, for what is left.

    Shapes
    ------
    input (N, ...), output (N, *shape). The output is a view of the input where that is contiguous; float32 and float64
    are kept.

    Raises
    ------
    ShapeError
        If a sample has another number of values, or the input has no axes.
    TypeError, ValueError
        If a length is no int, or below 1.
    """

    shape = Watched(as_new_shape, "The lengths of the new axes.")

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the input in its new shape."""
        array = as_input(input, "input")
        self.output = output = array.reshape(self._new(array.shape))
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output`` in the shape of ``input``."""
        at = as_input(input, "input")
        return as_gradient(grad_output, at, self._new(at.shape)).reshape(at.shape)

    def _new(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        sizes = fill_in(self.shape, math.prod(shape[1:])) if shape else None
        if sizes is None:
            raise ShapeError(f"input has shape {shape}, which does not make (N, {', '.join(map(str, self.shape))})")
        return (shape[0], *sizes)

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.unflatten(None, self.shape)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"shape": list(self.shape)}
