"""Columns takes some columns of a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_gradient, as_input
from ..checks import as_int
from ..errors import ShapeError
from ..module import Layer, named
from ..watched import Watched

if TYPE_CHECKING:
    from ..compiled.plan import Plan


def as_columns(value: Any, name: str) -> slice | list[int]:
    """Return a slice, or a list of ints."""
    if isinstance(value, slice):
        ends = [None if end is None else as_int(end, name) for end in (value.start, value.stop, value.step)]
        if ends[2] == 0:
            raise ValueError(f"{name} must not be a slice with step 0")
        return slice(*ends)
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name} must be a slice or a list of ints, got {value!r:.80}")
    return [as_int(column, name) for column in value]


class Columns(Layer):
    """``output = input[:, columns]``: for a table whose columns go different ways.

    Backward: ``grad_input`` has ``grad_output`` in these columns and zeros in the others; a column that is taken twice
    gets the sum. ``Parallel(Sequential(Columns([0]), Embedding(7, 3), Flatten()), Columns(slice(1, None)),
    merge="cat")`` puts an embedded code beside amounts.

    Parameters
    ----------
    columns : slice or sequence of int
        Which columns, in which order; negative ones count from the end.

    Shapes
    ------
    input (N, C), output (N, columns): float32 and float64 are kept.

    Raises
    ------
    ShapeError
        If the input has not two axes, or no such column.
    TypeError
        If ``columns`` is neither a slice nor a sequence of ints.
    """

    columns = Watched(as_columns, "Which columns, in which order.")

    def __init__(self, columns: slice | Sequence[int]) -> None:
        super().__init__()
        self.columns = columns

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return these columns; for a slice a view, where that is contiguous."""
        array = as_input(input, "input")
        self.output = output = np.require(array[:, self._chosen(array.shape)], requirements=["C"])
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output`` in the columns that it belongs to, and zeros in the others."""
        at = as_input(input, "input")
        chosen = self._chosen(at.shape)
        grad_input = np.zeros_like(at)
        grad = as_gradient(grad_output, at, grad_input[:, chosen].shape)
        for place, column in enumerate(np.arange(at.shape[1])[chosen]):  # which may be taken twice
            grad_input[:, column] += grad[:, place]
        return grad_input

    def _chosen(self, shape: tuple[int, ...]) -> slice | list[int]:
        if len(shape) != 2:
            raise ShapeError(f"input has shape {shape}, expected 2 axes (batch, columns)")
        columns: slice | list[int] = self.columns
        for column in () if isinstance(columns, slice) else columns:
            if not -shape[1] <= column < shape[1]:
                raise ShapeError(f"input has {shape[1]} columns, but no column {column} (shape {shape})")
        return columns

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.watch(self, "columns")
        plan.choose_columns(self.columns)

    def config(self) -> dict[str, Any]:
        """Return the constructor's argument."""
        return {"columns": self.columns}
