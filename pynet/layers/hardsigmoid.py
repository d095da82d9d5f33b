"""Hardsigmoid is a sigmoid made of three straight lines."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class Hardsigmoid(Elementwise):
    """``min(max(x + 3, 0), 6) / 6``, element by element.

    The derivative is 1/6 between -3 and 3, and 0 elsewhere: at ±3 too, as PyTorch's. A NaN stays NaN.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Courbariaux, Bengio, David, "BinaryConnect: training deep neural networks with binary weights during propagations",
    NeurIPS 2015.
    """

    operations = (4, 3)  # two comparisons, a sum, a quotient; two comparisons and a quotient
    kernel = Kernel(_core.hardsigmoid_forward, _core.hardsigmoid_backward, _core.Plan.hardsigmoid)
