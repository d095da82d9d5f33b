"""SELU is an ELU whose two constants keep mean 0 and variance 1 from layer to layer."""

from __future__ import annotations

from .. import _core
from .elementwise import Elementwise, Kernel


class SELU(Elementwise):
    """``scale * (x if x > 0 else alpha * (exp(x) - 1))``, element by element.

    ``scale`` is 1.0507009873554805 and ``alpha`` 1.6732632423543772. The derivative at 0 is ``scale * alpha``, as
    PyTorch's. `pynet.init.calculate_gain` knows the weights that go with it.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    References
    ----------
    Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks", NeurIPS 2017.
    """

    operations = (4, 4)  # a comparison, exp, a difference, a product; a comparison, exp, two products
    kernel = Kernel(_core.selu_forward, _core.selu_backward, _core.Plan.selu)
