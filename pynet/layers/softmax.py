"""SoftMax turns rows of scores into probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..module import Layer, named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class SoftMax(Layer):
    """``exp(x_k) / sum_j exp(x_j)``, along the last axis.

    The row's maximum is subtracted first, with its rounding error made good, so large scores neither overflow nor lose
    digits: right to 3 units in the last place at any scale. A score of -inf gives exactly 0; a row with NaN or +inf, or
    of nothing but -inf, gives NaN.

    Shapes
    ------
    input (..., classes), output (..., classes): at least one axis; float32 and float64 are kept.

    Raises
    ------
    ShapeError
        If the input has no axes.

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs, with relationships to
    statistical pattern recognition", Neurocomputing, Springer, 1990.
    """

    operations = (5, 9)  # maximum, difference, exp, sum, quotient; p itself, a product, its sum, and the formula

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the probabilities."""
        self.output = output = _core.softmax_forward(input)
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``p * (grad_output - sum(p * grad_output))`` with ``p = softmax(input)``, row by row."""
        return _core.softmax_backward(input, grad_output)

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.softmax()
