"""BinaryCrossEntropy: each column of scores is a question of its own, with yes or no for an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_input
from ..criterion import Criterion
from ..errors import ShapeError
from ..layers import Sigmoid


class BinaryCrossEntropy(Criterion):
    """``sum(max(x, 0) - x t + log1p(exp(-|x|))) / N`` from scores x: ``-t log p - (1 - t) log(1 - p)``, p = sigmoid(x).

    Summed over columns and averaged over rows, as scikit-learn's log loss of several labels.

    Shapes
    ------
    input (N, labels) scores; target (N, labels), 0 or 1.

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If the batch is empty.
    """

    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Any:
        """Return the loss; it is summed in double."""
        x, t = _pair(input, target)
        self.output = output = x.dtype.type(_elements(x, t).sum(dtype=np.float64) / len(x))
        return output

    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return ``(sigmoid(x) - t) / N``."""
        x, t = _pair(input, target)
        grad: Array = (Sigmoid().forward(x) - t) / x.dtype.type(len(x))
        self.grad_output = grad
        return grad

    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return what each row adds to the loss."""
        x, t = _pair(input, target)
        rows: Array = _elements(x, t).sum(axis=1) / x.dtype.type(len(x))
        return rows


def _pair(input: npt.ArrayLike, target: npt.ArrayLike) -> tuple[Array, Array]:
    x = as_input(input, "input")
    t = as_input(target, "target", x.dtype)
    if x.shape != t.shape or x.ndim != 2:
        raise ShapeError(f"target has shape {t.shape}, expected {x.shape} as input, with two axes")
    if not len(x):
        raise ValueError("the batch is empty")
    return x, t


def _elements(x: Array, t: Array) -> Array:
    each: Array = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))
    return each
