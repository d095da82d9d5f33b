"""GELU weighs its input with the probability that a normal number is below it."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..checks import as_choice
from ..watched import Watched
from .elementwise import Elementwise, Kernel

_KERNELS = {
    "none": Kernel(_core.gelu_forward, _core.gelu_backward, _core.Plan.gelu),
    "tanh": Kernel(_core.gelu_tanh_forward, _core.gelu_tanh_backward, _core.Plan.gelu_tanh),
}


def _as_approximation(value: Any, name: str) -> str:
    return as_choice(value, name, tuple(_KERNELS))


class GELU(Elementwise):
    """``x * Phi(x)``, element by element, where ``Phi`` is the distribution function of the normal distribution.

    Right to 5 units in the last place. ``Phi(x)`` is computed as ``erfc(-x / sqrt(2)) / 2``, so that it keeps its
    digits far to the left, where ``1 + erf(x / sqrt(2))`` has none left; at -inf the value is 0.

    Parameters
    ----------
    approximate : {"none", "tanh"}, default "none"
        With "tanh", ``x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2`` instead, which is at most 0.0005 off.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    Raises
    ------
    ValueError
        If ``approximate`` is another text; also when it is assigned.

    References
    ----------
    Hendrycks, Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415, 2016.
    """

    # A quotient, erfc and two products; Phi(x), four for the density, and their sum times the gradient.
    operations = (4, 10)

    approximate = Watched(_as_approximation, "Which formula: none or tanh.")

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def _kernel(self) -> Kernel:
        return _KERNELS[self.approximate]
