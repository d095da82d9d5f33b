"""ReLU keeps what is positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..module import Layer, named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class ReLU(Layer):
    """``max(x, 0)``, element by element.

    A NaN stays NaN. The gradient is selected, not multiplied by a mask, so that an infinite one is 0 where x < 0; at 0
    it is 0.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Nair, Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.
    """

    operations = (1, 1)

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return ``max(input, 0)``."""
        self.output = output = _core.relu_forward(input)
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output``, and 0 where ``input <= 0``."""
        return _core.relu_backward(input, grad_output)

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.relu()
