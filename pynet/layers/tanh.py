"""Tanh maps scores to (-1, 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..module import Layer, named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Tanh(Layer):
    """``(exp(x) - exp(-x)) / (exp(x) + exp(-x))``, element by element.

    Right to 2 units in the last place in float32. The derivative is computed from x, not as ``1 - tanh(x)**2``, which
    loses its digits where tanh is near 1.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.
    """

    operations = (1, 4)  # tanh; tanh, its square, a difference and a product

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return ``tanh(input)``."""
        self.output = output = _core.tanh_forward(input)
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output * (1 - tanh(input)**2)``."""
        return _core.tanh_backward(input, grad_output)

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.tanh()
