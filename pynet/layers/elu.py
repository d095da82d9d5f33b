"""ELU keeps what is positive, and lets what is negative saturate."""

from __future__ import annotations

from .. import _core
from ..checks import as_finite
from ..watched import Watched
from .elementwise import Elementwise, Kernel


class ELU(Elementwise):
    """``x if x > 0 else alpha * (exp(x) - 1)``, element by element.

    Right to 2 units in the last place, near 0 too, where ``exp(x) - 1`` as it is written would lose its digits. The
    derivative at 0 is ``alpha``, as PyTorch's.

    Parameters
    ----------
    alpha : float, default 1.0
        What far negative inputs go to, with its sign changed; finite.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number, or out of range; also when it is assigned.

    References
    ----------
    Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning by exponential linear units (ELUs)", ICLR
    2016.
    """

    operations = (4, 4)  # a comparison, exp, a difference, a product; a comparison, exp, two products
    kernel = Kernel(_core.elu_forward, _core.elu_backward, _core.Plan.elu)

    alpha = Watched(as_finite, "What far negative inputs go to, with its sign changed.")

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def _numbers(self) -> tuple[float, ...]:
        return (self.alpha,)
