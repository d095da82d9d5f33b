"""LeakyReLU lets a little of what is negative through."""

from __future__ import annotations

from .. import _core
from ..checks import as_finite
from ..watched import Watched
from .elementwise import Elementwise, Kernel


class LeakyReLU(Elementwise):
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
        If an argument is no number, or out of range; also when it is assigned.

    References
    ----------
    Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
    """

    operations = (2, 2)  # a comparison and a product
    kernel = Kernel(_core.leaky_relu_forward, _core.leaky_relu_backward, _core.Plan.leaky_relu)

    slope = Watched(as_finite, "Slope of the negative side.")

    def __init__(self, slope: float = 0.03) -> None:
        super().__init__()
        self.slope = slope

    def _numbers(self) -> tuple[float, ...]:
        return (self.slope,)
