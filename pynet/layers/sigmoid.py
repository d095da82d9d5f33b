"""Sigmoid maps scores to (0, 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..module import Layer, named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Sigmoid(Layer):
    """``1 / (1 + exp(-x))``, element by element.

    Right to 2 units in the last place in float32, far to the left too, where ``exp(-x)`` overflows. The derivative is
    computed from x, not as ``s * (1 - s)``, which loses its digits where s is near 1.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.
    """

    operations = (4, 7)  # a sign, exp, a sum, a quotient; s itself, a difference and two products

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return ``1 / (1 + exp(-input))``."""
        self.output = output = _core.sigmoid_forward(input)
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output * s * (1 - s)`` with ``s = sigmoid(input)``."""
        return _core.sigmoid_backward(input, grad_output)

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.sigmoid()
