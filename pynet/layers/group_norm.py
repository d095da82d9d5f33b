"""GroupNorm gives every sample's groups of channels mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, choose_dtype, stay_unfilled
from ..checks import as_at_least_zero, as_flag, as_size
from ..freezing import leaves_frozen
from ..module import named
from ..watched import Fixed, Watched
from .parametric import Parametric, array_attribute

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class GroupNorm(Parametric):
    """``(input - mean) / sqrt(variance + eps) * weight + bias``, with mean and variance of each sample's groups.

    The channels are divided into groups of neighbours; weight and bias are those of the channel. The variance is the
    biased one. In training and in evaluation alike; PyTorch's GroupNorm.

    Parameters
    ----------
    num_groups : int
        Number of groups.
    num_channels : int
        Number of channels, a multiple of ``num_groups``.
    eps : float, default 1e-5
        Added to the variance; at least 0.
    affine : bool, default True
        Whether there are ``weight`` (ones at first) and ``bias`` (zeros).
    dtype : float32 or float64, optional
        Of the parameters; `pynet.get_default_dtype()` (float64) unless given. Inputs are converted to it.

    Attributes
    ----------
    weight, bias, grad_weight, grad_bias : array (num_channels,) or None

    Shapes
    ------
    input, output (N, num_channels) or (N, num_channels, ...): channels on axis 1. Without parameters float32 and
    float64 are kept.

    Raises
    ------
    ShapeError
        If an input has fewer than two axes or another number of channels.
    TypeError, ValueError
        If a number is no int or below 1, the channels cannot be divided so, or ``eps`` is out of range.

    Notes
    -----
    Sums are taken in double, the variance in a second pass over the data. A group of a single number has no spread: it
    gives 0, and so ``bias``.

    References
    ----------
    Wu, He, "Group normalization", ECCV 2018.
    """

    parameter_names = ("weight", "bias")

    num_groups = Fixed("Into how many groups the channels are divided.")
    num_channels = Fixed("How many there are, on axis 1.")
    eps = Watched(as_at_least_zero, "Added to the variance.")
    weight = array_attribute("weight", "weight", "The factors, (num_channels,), or None.")
    bias = array_attribute("bias", "bias", "The offsets, (num_channels,), or None.")
    grad_weight = array_attribute("grad_weight", "grad_weight", "The gradient of weight, or None.")
    grad_bias = array_attribute("grad_bias", "grad_bias", "The gradient of bias, or None.")

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.num_groups = as_size(num_groups, "num_groups", smallest=1)
        self.num_channels = size = as_size(num_channels, "num_channels", smallest=1)
        if size % self.num_groups:
            raise ValueError(f"num_channels must be a multiple of num_groups, {self.num_groups}, got {size}")
        self.eps, self.affine = eps, as_flag(affine, "affine")
        kind = choose_dtype(dtype)
        self._weight = (np.empty if stay_unfilled() else np.ones)(size, kind) if self.affine else None
        self._bias, self._grad_weight, self._grad_bias = (
            np.zeros(size, kind) if self.affine else None for _ in range(3)
        )

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the normalised input."""
        self.output = output = _core.group_norm_forward(
            input, self._weight, self._bias, self.num_groups, self.num_channels, self.eps
        )
        return output

    @leaves_frozen
    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return the gradient at ``input``; write ``grad_weight`` and ``grad_bias``, or add to them."""
        return _core.group_norm_backward(
            input,
            grad_output,
            self._weight,
            self._to_write(self._grad_weight),
            self._to_write(self._grad_bias),
            self.num_groups,
            self.num_channels,
            self.eps,
            bool(accumulate),
        )

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        arrays = self._weight, self._bias, self._to_write(self._grad_weight), self._to_write(self._grad_bias)
        plan.group_norm(arrays, self.num_channels, self.num_groups, self.eps)

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return what the formula does for each element, mean and variance included."""
        statistics, normal, elements = 4, 2, math.prod(input_shape)
        backward = statistics + normal + 3 + 4 + (1 + 3 if self.affine else 0)
        return (statistics + normal + 2 * self.affine) * elements, backward * elements

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = ("num_groups", "num_channels", "eps", "affine")
        found = {name: getattr(self, name) for name in names}
        return found if self._weight is None else found | {"dtype": self._weight.dtype.name}
