"""LayerNorm gives every sample's last axes mean 0 and variance 1."""

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


class LayerNorm(Parametric):
    """``(input - mean) / sqrt(variance + eps) * weight + bias``, with mean and variance of each sample's last axes.

    The variance is the biased one. In training and in evaluation alike; PyTorch's LayerNorm.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The last axes of the input, over which mean and variance are taken.
    eps : float, default 1e-5
        Added to the variance; at least 0.
    elementwise_affine : bool, default True
        Whether there is a ``weight`` (ones at first).
    bias : bool, default True
        Whether there is a ``bias`` (zeros at first) beside it.
    dtype : float32 or float64, optional
        Of the parameters; `pynet.get_default_dtype()` (float64) unless given. Inputs are converted to it.

    Attributes
    ----------
    weight, bias, grad_weight, grad_bias : array of normalized_shape, or None

    Shapes
    ------
    input, output (..., *normalized_shape). Without parameters float32 and float64 are kept.

    Raises
    ------
    ShapeError
        If the last axes of an input are others.
    TypeError, ValueError
        If a size is no int or below 1, or ``eps`` is out of range.

    Notes
    -----
    Sums are taken in double, the variance in a second pass over the data. A single number has no spread: it gives 0,
    and so ``bias``.

    References
    ----------
    Ba, Kiros, Hinton, "Layer normalization", arXiv:1607.06450, 2016.
    """

    parameter_names = ("weight", "bias")

    eps = Watched(as_at_least_zero, "Added to the variance.")
    weight = array_attribute("weight", "weight", "The factors, of normalized_shape, or None.")
    bias = array_attribute("bias", "bias", "The offsets, of normalized_shape, or None.")
    grad_weight = array_attribute("grad_weight", "grad_weight", "The gradient of weight, or None.")
    grad_bias = array_attribute("grad_bias", "grad_bias", "The gradient of bias, or None.")

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = as_shape(normalized_shape, "normalized_shape")
        self.eps, self.elementwise_affine = eps, bool(elementwise_affine)
        kind = choose_dtype(dtype)
        affine, shifted = self.elementwise_affine, self.elementwise_affine and bool(bias)
        self._weight = (np.empty if stay_unfilled() else np.ones)(shape, kind) if affine else None
        self._grad_weight = np.zeros(shape, kind) if affine else None
        self._bias, self._grad_bias = (np.zeros(shape, kind) if shifted else None for _ in range(2))

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the normalised input."""
        self.output = output = _core.layer_norm_forward(
            input, self._weight, self._bias, self.normalized_shape, self.eps, centred=True
        )
        return output

    @leaves_frozen
    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return the gradient at ``input``; write ``grad_weight`` and ``grad_bias``, or add to them."""
        return _core.layer_norm_backward(
            input,
            grad_output,
            self._weight,
            self._to_write(self._grad_weight),
            self._to_write(self._grad_bias),
            self.normalized_shape,
            self.eps,
            centred=True,
            accumulate=bool(accumulate),
        )

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        arrays = self._weight, self._bias, self._to_write(self._grad_weight), self._to_write(self._grad_bias)
        plan.layer_norm(arrays, self.normalized_shape, self.eps, centred=True)

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return what the formula does for each element, mean and variance included."""
        affine, shifted, elements = self._weight is not None, self._bias is not None, math.prod(input_shape)
        # A sum; a difference, a square and a sum. (x - mean) / s.
        statistics, normal = 4, 2
        # g and x, two means of them, the formula; with weight g itself, and the two sums over all samples.
        backward = statistics + normal + 3 + 4 + (1 + 2 if affine else 0) + (1 if shifted else 0)
        return (statistics + normal + affine + shifted) * elements, backward * elements

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        shape = self.normalized_shape
        found = {
            "normalized_shape": shape[0] if len(shape) == 1 else list(shape),
            "eps": self.eps,
            "elementwise_affine": self.elementwise_affine,
            "bias": self._bias is not None or not self.elementwise_affine,
        }
        return found if self._weight is None else found | {"dtype": self._weight.dtype.name}
