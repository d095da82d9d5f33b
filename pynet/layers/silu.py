"""SiLU weighs its input with its sigmoid."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class SiLU(Elementwise):
    """``x * sigmoid(x)``, element by element; also called swish.

    Right to 4 units in the last place, far to the left too; at -inf it is 0.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Elfwing, Uchibe, Doya, "Sigmoid-weighted linear units for neural network function approximation in reinforcement
    learning", Neural Networks 107, 2018.
    """

    operations = (5, 9)  # sigmoid and a product; s (1 + x (1 - s)) times the gradient
    kernel = Kernel(_core.silu_forward, _core.silu_backward, _core.Plan.silu)
