"""BatchNorm gives every channel mean 0 and variance 1 over the batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, choose_dtype, stay_unfilled
from ..checks import as_at_least_zero, as_flag, as_share, as_size
from ..freezing import leaves_frozen
from ..modes import is_evaluating
from ..module import named
from ..replay import is_replaying
from ..watched import Watched
from .parametric import Parametric, array_attribute

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class BatchNorm(Parametric):
    """``(input - mean) / sqrt(variance + eps) * weight + bias``, per channel.

    In training, mean and (biased) variance are those of the batch, and the running ones move towards them:
    ``running = (1 - momentum) * running + momentum * batch``, with the unbiased variance. In evaluation the running
    ones are used, and are constants in `backward`. PyTorch's BatchNorm1d, 2d and 3d in one.

    Parameters
    ----------
    num_features : int
        Number of channels.
    eps : float, default 1e-5
        Added to the variance; at least 0.
    momentum : float, default 0.1
        How far the running statistics move, from 0 to 1.
    affine : bool, default True
        Whether there are ``weight`` (ones at first) and ``bias`` (zeros).
    dtype : float32 or float64, optional
        Of parameters and statistics; `pynet.get_default_dtype()` (float64) unless given. Inputs are converted to it.

    Attributes
    ----------
    weight, bias, grad_weight, grad_bias : array (num_features,) or None
    running_mean, running_var : array (num_features,)
        Zeros and ones at first.
    num_batches_tracked : array () of int64
        How often the statistics have moved.

    Shapes
    ------
    input, output (N, num_features) or (N, num_features, ...): channels on axis 1.

    Raises
    ------
    ShapeError
        If an input has fewer than two axes or another number of channels.
    ValueError
        If in training there is only one value per channel, or none; if a hyper-parameter is out of range.

    Notes
    -----
    Sums are taken in double, the variance in a second pass over the data.

    References
    ----------
    Ioffe, Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate shift",
    ICML 2015.
    """

    parameter_names = ("weight", "bias")
    buffer_names = ("running_mean", "running_var", "num_batches_tracked")

    eps = Watched(as_at_least_zero, "Added to the variance.")
    momentum = Watched(as_share, "How far the running statistics move.")
    weight = array_attribute("weight", "weight", "The factors, (num_features,), or None.")
    bias = array_attribute("bias", "bias", "The offsets, (num_features,), or None.")
    grad_weight = array_attribute("grad_weight", "grad_weight", "The gradient of weight, or None.")
    grad_bias = array_attribute("grad_bias", "grad_bias", "The gradient of bias, or None.")
    running_mean = array_attribute("running_mean", "running_mean", "The running mean, (num_features,).")
    running_var = array_attribute("running_var", "running_var", "The running variance, (num_features,).")

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.num_features = size = as_size(num_features, "num_features")
        self.eps, self.momentum = eps, momentum
        self.affine = as_flag(affine, "affine")
        kind = choose_dtype(dtype)
        ones = np.empty if stay_unfilled() else np.ones
        self._weight = ones(size, kind) if affine else None
        self._bias, self._grad_weight, self._grad_bias = (np.zeros(size, kind) if affine else None for _ in range(3))
        self._running_mean, self._running_var = np.zeros(size, kind), ones(size, kind)
        self._num_batches_tracked = np.zeros((), np.int64)

    @property
    def num_batches_tracked(self) -> Array:
        """How often the statistics have moved: an array without axes."""
        return self._num_batches_tracked

    @num_batches_tracked.setter
    def num_batches_tracked(self, count: Any) -> None:
        self._num_batches_tracked[...] = as_size(count, "num_batches_tracked")

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the normalised input; in training also move the running statistics."""
        training = bool(self.training) and not is_evaluating()
        moves = training and not is_replaying()
        self.output = output = _core.batch_norm_forward(
            input,
            self._weight,
            self._bias,
            self._running_mean,
            self._running_var,
            self._num_batches_tracked if moves else None,
            self.eps,
            self.momentum,
            training,
        )
        return output

    @leaves_frozen
    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return the gradient at ``input``; write ``grad_weight`` and ``grad_bias``, or add to them."""
        return _core.batch_norm_backward(
            input,
            grad_output,
            self._weight,
            self._running_mean,
            self._running_var,
            self._to_write(self._grad_weight),
            self._to_write(self._grad_bias),
            self.eps,
            bool(self.training),
            bool(accumulate),
        )

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.watch_mode(self)
        plan.batch_norm(
            self._weight,
            self._bias,
            self._to_write(self._grad_weight),
            self._to_write(self._grad_bias),
            self._running_mean,
            self._running_var,
            self._num_batches_tracked,
            self.eps,
            self.momentum,
            plan.training(self),
        )

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return what the formula does for each element; in training also both passes that mean and variance take."""
        statistics = 4 if self.training else 0  # a sum; a difference, a square and a sum
        affine = 2 if self.affine else 0
        # (x - mean) / s and the two sums: for grad_weight and grad_bias, in training for grad_input too.
        sums = 5 if self.training or self.affine else 0
        backward = statistics + sums + (4 if self.training else 1)
        elements = math.prod(input_shape)
        return (statistics + 2 + affine) * elements, backward * elements

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = ("num_features", "eps", "momentum", "affine")
        return {name: getattr(self, name) for name in names} | {"dtype": self._running_mean.dtype.name}
