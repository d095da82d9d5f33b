"""RMSNorm gives every sample's last axes a mean square of 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, choose_dtype, stay_unfilled
from ..checks import as_at_least_zero, as_shape
from ..freezing import leaves_frozen
from ..module import named
from ..watched import Watched
from .parametric import Parametric, array_attribute

if TYPE_CHECKING:
    from ..compiled.plan import Plan


def as_eps(value: Any, name: str) -> float | None:
    """Return a number that is not negative, or None."""
    return None if value is None else as_at_least_zero(value, name)


class RMSNorm(Parametric):
    """``input / sqrt(mean(input²) + eps) * weight``, with the mean over each sample's last axes.

    In training and in evaluation alike; PyTorch's RMSNorm.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The last axes of the input, over which the mean is taken.
    eps : float, optional
        Added to the mean square; at least 0. Unless given, the machine epsilon of the dtype that is computed in.
    elementwise_affine : bool, default True
        Whether there is a ``weight`` (ones at first).
    dtype : float32 or float64, optional
        Of the weight; `pynet.get_default_dtype()` (float64) unless given. Inputs are converted to it.

    Attributes
    ----------
    weight, grad_weight : array of normalized_shape, or None

    Shapes
    ------
    input, output (..., *normalized_shape). Without weight float32 and float64 are kept.

    Raises
    ------
    ShapeError
        If the last axes of an input are others.
    TypeError, ValueError
        If a size is no int or below 1, or ``eps`` is out of range.

    Notes
    -----
    Sums are taken in double.

    References
    ----------
    Zhang, Sennrich, "Root mean square layer normalization", NeurIPS 2019.
    """

    parameter_names = ("weight",)

    eps = Watched(as_eps, "Added to the mean square; None: the machine epsilon.")
    weight = array_attribute("weight", "weight", "The factors, of normalized_shape, or None.")
    grad_weight = array_attribute("grad_weight", "grad_weight", "The gradient of weight, or None.")

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = as_shape(normalized_shape, "normalized_shape")
        self.eps, self.elementwise_affine = eps, bool(elementwise_affine)
        kind, affine = choose_dtype(dtype), self.elementwise_affine
        self._weight = (np.empty if stay_unfilled() else np.ones)(shape, kind) if affine else None
        self._grad_weight = np.zeros(shape, kind) if affine else None

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the normalised input."""
        self.output = output = _core.layer_norm_forward(
            input, self._weight, None, self.normalized_shape, self.eps, centred=False
        )
        return output

    @leaves_frozen
    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return the gradient at ``input``; write ``grad_weight``, or add to it."""
        return _core.layer_norm_backward(
            input,
            grad_output,
            self._weight,
            self._to_write(self._grad_weight),
            None,
            self.normalized_shape,
            self.eps,
            centred=False,
            accumulate=bool(accumulate),
        )

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.layer_norm(
            (self._weight, None, self._to_write(self._grad_weight), None),
            self.normalized_shape,
            self.eps,
            centred=False,
        )

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return what the formula does for each element, the mean square included."""
        affine, elements = self._weight is not None, math.prod(input_shape)
        statistics, normal = 2, 1  # a square and a sum; a quotient
        backward = statistics + normal + 2 + 3 + (1 + 2 if affine else 0)
        return (statistics + normal + affine) * elements, backward * elements

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        shape = self.normalized_shape
        found = {
            "normalized_shape": shape[0] if len(shape) == 1 else list(shape),
            "eps": self.eps,
            "elementwise_affine": self.elementwise_affine,
        }
        return found if self._weight is None else found | {"dtype": self._weight.dtype.name}
