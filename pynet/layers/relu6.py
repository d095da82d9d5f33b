"""ReLU6 is a ReLU that goes no higher than 6."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class ReLU6(Elementwise):
    """``min(max(x, 0), 6)``, element by element: a `Hardtanh` from 0 to 6.

    A NaN stays NaN. The derivative is 1 between 0 and 6, and 0 elsewhere: at 0 and 6 too, as PyTorch's.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.
    """

    operations = (2, 2)
    kernel = Kernel(_core.hardtanh_forward, _core.hardtanh_backward, _core.Plan.hardtanh)

    def _numbers(self) -> tuple[float, ...]:
        return (0.0, 6.0)
