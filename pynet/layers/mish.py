"""Mish weighs its input with the tanh of its softplus."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class Mish(Elementwise):
    """``x * tanh(log(1 + exp(x)))``, element by element.

    Right to 4 units in the last place, far to the left too; at -inf it is 0.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.
    """

    operations = (5, 11)  # exp, a sum, log, tanh, a product; t, and t + x (1 - t^2) sigmoid(x), times the gradient
    kernel = Kernel(_core.mish_forward, _core.mish_backward, _core.Plan.mish)
