"""Identity does nothing, where a module is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from ..arrays import Array, as_gradient, as_input
from ..module import Layer, named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Identity(Layer):
    """``output = input``.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept, and the output is the input itself.
    """

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the input."""
        self.output = output = as_input(input, "input")
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output``."""
        return as_gradient(grad_output, as_input(input, "input"))

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
