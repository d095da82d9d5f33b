"""PReLU lets as much of what is negative through as it has learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, choose_dtype
from ..checks import as_finite, as_size
from ..freezing import leaves_frozen
from ..module import named
from .parametric import Parametric, array_attribute

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class PReLU(Parametric):
    """``x if x > 0 else weight * x``, element by element, with one weight for all or one for each channel.

    The derivative at 0 is ``weight``, as PyTorch's. Weight decay would draw it to a ReLU.

    Parameters
    ----------
    num_parameters : int, default 1
        One weight for all, or as many as there are channels.
    init : float, default 0.25
        What the weights are at first; finite.
    dtype : float32 or float64, optional
        Of the parameters; `pynet.get_default_dtype()` (float64) unless given. Inputs are converted to it.

    Attributes
    ----------
    weight, grad_weight : array (num_parameters,)

    Shapes
    ------
    input, output (...) with one weight; (N, num_parameters) or (N, num_parameters, ...) with more: channels on axis 1.

    Raises
    ------
    ShapeError
        If an input has fewer than two axes or another number of channels, and there is more than one weight.
    TypeError, ValueError
        If an argument is no number, or out of range.

    References
    ----------
    He, Zhang, Ren, Sun, "Delving deep into rectifiers: surpassing human-level performance on ImageNet classification",
    ICCV 2015.
    """

    operations = (2, 4)  # a comparison and a product; these, and a product and a sum for grad_weight
    parameter_names = ("weight",)

    weight = array_attribute("weight", "weight", "The slopes of the negative side, (num_parameters,).")
    grad_weight = array_attribute("grad_weight", "grad_weight", "The gradient of weight.")

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: npt.DTypeLike | None = None) -> None:
        super().__init__()
        self.num_parameters = as_size(num_parameters, "num_parameters", 1)
        self.init = as_finite(init, "init")
        kind = choose_dtype(dtype)
        self._weight = np.full(self.num_parameters, self.init, kind)
        self._grad_weight = np.zeros(self.num_parameters, kind)

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return ``input`` where it is positive, else ``weight * input``."""
        self.output = output = _core.prelu_forward(input, self._weight)
        return output

    @leaves_frozen
    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output`` where ``input > 0``, else ``weight * grad_output``; write ``grad_weight``."""
        return _core.prelu_backward(
            input, grad_output, self._weight, self._to_write(self._grad_weight), bool(accumulate)
        )

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.prelu(self._weight, self._to_write(self._grad_weight))

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"num_parameters": self.num_parameters, "init": self.init, "dtype": self._weight.dtype.name}
