"""LogSigmoid turns scores into logarithms of probabilities."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class LogSigmoid(Elementwise):
    """``log(1 / (1 + exp(-x)))``, element by element.

    Right to 2 units in the last place, on both sides: computed as ``min(x, 0) - log(1 + exp(-abs(x)))``. The derivative
    is ``sigmoid(-x)``.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Mächler, "Accurately computing log(1 - exp(-|a|))", vignette of the R package Rmpfr, 2012.
    """

    operations = (5, 4)  # two signs, exp, a sum, log; exp, a sum, a quotient, a product
    kernel = Kernel(_core.log_sigmoid_forward, _core.log_sigmoid_backward, _core.Plan.log_sigmoid)
