"""Hardswish weighs its input with its hardsigmoid."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class Hardswish(Elementwise):
    """``x * min(max(x + 3, 0), 6) / 6``, element by element.

    The derivative is ``(2 * x + 3) / 6`` between -3 and 3, 0 at -3 and below, and 1 from 3 on, as PyTorch's. A NaN
    stays NaN.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """

    operations = (5, 6)  # two comparisons, a sum, a product, a quotient; two comparisons, and what the formula does
    kernel = Kernel(_core.hardswish_forward, _core.hardswish_backward, _core.Plan.hardswish)
