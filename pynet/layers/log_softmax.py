"""LogSoftMax turns rows of scores into logarithms of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..module import Layer, named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class LogSoftMax(Layer):
    """``x_k - log(sum_j exp(x_j))``, along the last axis.

    Computed as ``(x_k - m) - log1p(sum_{j != argmax} exp(x_j - m))`` with the row's maximum m: both terms have the same
    sign, so nothing cancels, and the logarithm of a probability near 1 keeps all its digits.

    Shapes
    ------
    input (..., classes), output (..., classes): at least one axis; float32 and float64 are kept.

    Raises
    ------
    ShapeError
        If the input has no axes.

    References
    ----------
    Blanchard, Higham, Higham, "Accurately computing the log-sum-exp and softmax functions", IMA Journal of Numerical
    Analysis 41, 2021.
    """

    operations = (5, 8)  # maximum, two differences, exp, sum; softmax, a sum, a product and a difference

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the logarithms of the probabilities."""
        self.output = output = _core.log_softmax_forward(input)
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output - softmax(input) * sum(grad_output)``, row by row."""
        return _core.log_softmax_backward(input, grad_output)

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.log_softmax()
