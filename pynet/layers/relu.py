"""ReLU keeps what is positive."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class ReLU(Elementwise):
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
    kernel = Kernel(_core.relu_forward, _core.relu_backward, _core.Plan.relu)
