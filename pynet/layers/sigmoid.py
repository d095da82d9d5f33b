"""Sigmoid maps scores to (0, 1)."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class Sigmoid(Elementwise):
    """``1 / (1 + exp(-x))``, element by element.

    Right to 2 units in the last place in float32, far to the left too, where ``exp(-x)`` overflows. The derivative is
    computed from x, not as ``s * (1 - s)``, which loses its digits where s is near 1.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society B 20, 1958.
    """

    operations = (4, 7)  # a sign, exp, a sum, a quotient; s itself, a difference and two products
    kernel = Kernel(_core.sigmoid_forward, _core.sigmoid_backward, _core.Plan.sigmoid)
