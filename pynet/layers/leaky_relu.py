"""LeakyReLU lets a little of what is negative through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..checks import as_finite
from ..module import Layer, named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class LeakyReLU(Layer):
    """``x if x > 0 else slope * x``, element by element.

    A NaN stays NaN, and with ``slope=0`` the output at -inf is NaN, as 0 * inf is. The derivative at 0 is ``slope``.

    Parameters
    ----------
    slope : float, default 0.03
        Slope of the negative side; finite.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    Raises
    ------
    TypeError, ValueError
        If ``slope`` is no number, or not finite; also when it is assigned.

    References
    ----------
    Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
    """

    operations = (2, 2)  # a comparison and a product

    def __init__(self, slope: float = 0.03) -> None:
        super().__init__()
        self.slope = slope

    @property
    def slope(self) -> float:
        """Slope of the negative side."""
        return self._slope

    @slope.setter
    def slope(self, slope: Any) -> None:
        self._slope = as_finite(slope, "slope")
        _core.structure_changed()

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return ``input`` where it is positive, else ``slope * input``."""
        self.output = output = _core.leaky_relu_forward(input, self._slope)
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output`` where ``input > 0``, else ``slope * grad_output``."""
        return _core.leaky_relu_backward(input, grad_output, self._slope)

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.leaky_relu(self._slope)
