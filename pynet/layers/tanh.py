"""Tanh maps scores to (-1, 1)."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class Tanh(Elementwise):
    """``(exp(x) - exp(-x)) / (exp(x) + exp(-x))``, element by element.

    Right to 2 units in the last place in float32. The derivative is computed from x, not as ``1 - tanh(x)**2``, which
    loses its digits where tanh is near 1.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    LeCun, Bottou, Orr, Müller, "Efficient backprop", Neural Networks: Tricks of the Trade, Springer, 1998.
    """

    operations = (1, 4)  # tanh; tanh, its square, a difference and a product
    kernel = Kernel(_core.tanh_forward, _core.tanh_backward, _core.Plan.tanh)
