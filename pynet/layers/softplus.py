"""Softplus is a ReLU without a kink."""

from __future__ import annotations

from .. import _core
from ..checks import as_finite, as_positive
from ..watched import Watched
from .elementwise import Elementwise, Kernel


class Softplus(Elementwise):
    """``log(1 + exp(beta * x)) / beta``, element by element, and x itself where ``beta * x > threshold``.

    Right to 3 units in the last place, far to the left too; in float32 for the float32 nearest to beta, as PyTorch's,
    which for another beta costs up to ``abs(beta * x)`` units more there. The derivative is ``sigmoid(beta * x)``, and
    1 where x is returned. Neither overflows, so that the threshold, PyTorch's, is needed for nothing but its values.

    Parameters
    ----------
    beta : float, default 1.0
        How sharply it bends; finite and above 0.
    threshold : float, default 20.0
        Of ``beta * x``, from where on x is returned; finite.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number, or out of range; also when it is assigned.

    References
    ----------
    Dugas, Bengio, Bélisle, Nadeau, Garcia, "Incorporating second-order functional knowledge for better option pricing",
    NeurIPS 2000.
    """

    # A product, a comparison, exp, a sum, log, a quotient; a product, a comparison, and sigmoid times the gradient.
    operations = (6, 6)
    kernel = Kernel(_core.softplus_forward, _core.softplus_backward, _core.Plan.softplus)

    beta = Watched(as_positive, "How sharply it bends.")
    threshold = Watched(as_finite, "Of beta * x, from where on x is returned.")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def _numbers(self) -> tuple[float, ...]:
        return (self.beta, self.threshold)
