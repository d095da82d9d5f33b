"""Unflatten makes several axes of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ..arrays import Array, as_gradient, as_input
from ..checks import as_int, as_new_shape
from ..errors import ShapeError
from ..module import Layer, named
from ..watched import Watched

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Unflatten(Layer):
    """The axis ``dim`` becomes several: what `Flatten` has made one; as PyTorch's.

    Parameters
    ----------
    dim : int
        Which axis; a negative one counts from the end.
    unflattened_size : sequence of int
        The lengths of the new axes; one of them may be -1, for what is left.

    Shapes
    ------
    input (N, ..., features, ...), output (N, ..., *unflattened_size, ...). The output is a view of the input where that
    is contiguous; float32 and float64 are kept.

    Raises
    ------
    ShapeError
        If the input has no such axis, or one of another length.
    TypeError, ValueError
        If an argument is no int, or a length is below 1.
    """

    dim = Watched(as_int, "Which axis.")
    unflattened_size = Watched(as_new_shape, "The lengths of the new axes.")

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, unflattened_size

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the input in its new shape."""
        array = as_input(input, "input")
        self.output = output = array.reshape(self._unflat(array.shape))
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output`` in the shape of ``input``."""
        at = as_input(input, "input")
        return as_gradient(grad_output, at, self._unflat(at.shape)).reshape(at.shape)

    def _unflat(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        axis = self.dim + len(shape) if self.dim < 0 else self.dim
        if not 0 <= axis < len(shape):
            raise ShapeError(f"input has shape {shape}, which has no axis {self.dim}")
        sizes = fill_in(self.unflattened_size, shape[axis])
        if sizes is None:
            raise ShapeError(f"input has shape {shape}, whose axis {self.dim} does not make {self.unflattened_size}")
        return (*shape[:axis], *sizes, *shape[axis + 1 :])

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.unflatten(self.dim, self.unflattened_size)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"dim": self.dim, "unflattened_size": list(self.unflattened_size)}


def fill_in(sizes: tuple[int, ...], count: int) -> tuple[int, ...] | None:
    """Return lengths of axes that hold so many numbers together, with what is left for -1; None if there are none."""
    known = math.prod(size for size in sizes if size >= 0)
    if -1 not in sizes:
        return sizes if known == count else None
    return None if count % known else tuple(count // known if size < 0 else size for size in sizes)
