"""Softsign maps scores to (-1, 1), and saturates slowly."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class Softsign(Elementwise):
    """``x / (1 + abs(x))``, element by element.

    The derivative is ``1 / (1 + abs(x))**2``; at ±inf the value is ±1.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Bergstra, Desjardins, Lamblin, Bengio, "Quadratic polynomials learn better image features", technical report 1337,
    Université de Montréal, 2009.
    """

    operations = (3, 4)  # a sign, a sum, a quotient; these and a square, with the gradient in the quotient
    kernel = Kernel(_core.softsign_forward, _core.softsign_backward, _core.Plan.softsign)
