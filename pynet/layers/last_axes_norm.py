"""What LayerNorm and RMSNorm share: each sample's last axes are divided by a spread, with or without their mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, choose_dtype, stay_unfilled
from ..checks import as_flag, as_shape
from ..freezing import leaves_frozen
from ..module import named
from ..watched import Fixed
from .parametric import Parametric, array_attribute

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class _LastAxesNorm(Parametric):
    """A subclass says whether the mean is subtracted, and what its formula does for each element."""

    _centred: ClassVar[bool]
    # Operations of the mean and the spread, of dividing by it, and of the formula of backward.
    _element_flops: ClassVar[tuple[int, int, int]]
    eps: Any

    normalized_shape = Fixed("The last axes of the input, over which mean and spread are taken.")
    weight = array_attribute("weight", "weight", "The factors, of normalized_shape, or None.")
    grad_weight = array_attribute("grad_weight", "grad_weight", "The gradient of weight, or None.")

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None,
        elementwise_affine: bool,
        bias: bool,
        dtype: npt.DTypeLike | None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = as_shape(normalized_shape, "normalized_shape")
        self.eps, self.elementwise_affine = eps, as_flag(elementwise_affine, "elementwise_affine")
        kind = choose_dtype(dtype)
        affine, shifted = self.elementwise_affine, as_flag(bias, "bias") and self.elementwise_affine
        self._weight = (np.empty if stay_unfilled() else np.ones)(shape, kind) if affine else None
        self._grad_weight = np.zeros(shape, kind) if affine else None
        self._bias, self._grad_bias = (np.zeros(shape, kind) if shifted else None for _ in range(2))

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the normalised input."""
        self.output = output = _core.layer_norm_forward(
            input, self._weight, self._bias, self.normalized_shape, self.eps, self._centred
        )
        return output

    @leaves_frozen
    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return the gradient at ``input``; write those of the parameters, or add to them."""
        return _core.layer_norm_backward(
            input,
            grad_output,
            self._weight,
            self._to_write(self._grad_weight),
            self._to_write(self._grad_bias),
            self.normalized_shape,
            self.eps,
            self._centred,
            bool(accumulate),
        )

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        arrays = self._weight, self._bias, self._to_write(self._grad_weight), self._to_write(self._grad_bias)
        plan.layer_norm(arrays, self.normalized_shape, self.eps, centred=self._centred)

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return what the formula does for each element, mean and spread included."""
        affine, shifted, elements = self._weight is not None, self._bias is not None, math.prod(input_shape)
        statistics, normal, formula = self._element_flops
        # With weight, g times it, and the two sums over all samples.
        backward = statistics + normal + formula + (1 + 2 if affine else 0) + (1 if shifted else 0)
        return (statistics + normal + affine + shifted) * elements, backward * elements

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        shape = self.normalized_shape
        found = {
            "normalized_shape": shape[0] if len(shape) == 1 else list(shape),
            "eps": self.eps,
            "elementwise_affine": self.elementwise_affine,
        }
        return found if self._weight is None else found | {"dtype": self._weight.dtype.name}
