"""LayerNorm gives every sample's last axes mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from ..checks import as_at_least_zero
from ..watched import Watched
from .last_axes_norm import _LastAxesNorm
from .parametric import array_attribute


class LayerNorm(_LastAxesNorm):
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
    _centred = True
    # A sum; a difference, a square and a sum. (x - mean) / s. g and x, two means of them, the formula.
    _element_flops = 4, 2, 3 + 4

    eps = Watched(as_at_least_zero, "Added to the variance.")
    bias = array_attribute("bias", "bias", "The offsets, of normalized_shape, or None.")
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
        super().__init__(normalized_shape, eps, elementwise_affine, bias, dtype)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().config() | {"bias": self._bias is not None or not self.elementwise_affine}
