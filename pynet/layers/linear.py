"""Linear: every output is a weighted sum of the inputs plus a bias."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, choose_dtype
from ..checks import as_flag, as_size
from ..freezing import leaves_frozen
from ..module import named
from ..random import Randomness, Seed
from .parametric import Parametric, array_attribute

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Linear(Parametric):
    """``output = input @ W.T + b``.

    Backward: ``grad_input = grad_output @ W``, ``grad_W = grad_output.T @ input`` and ``grad_b = grad_output.sum(0)``,
    summed over the batch, not averaged.

    Parameters
    ----------
    dim_in, dim_out : int
        Number of input and of output features.
    bias : bool, default True
        Whether there is a ``b``.
    dtype : float32 or float64, optional
        Of the parameters; `pynet.get_default_dtype()` (float64) unless given. Inputs are converted to it.
    seed : int or numpy.random.Generator, optional
        Where W and b come from: uniform in ±1/√dim_in. NumPy's global generator unless given.

    Attributes
    ----------
    W, weight : array (dim_out, dim_in)
    b, bias : array (dim_out,) or None
    grad_W, grad_weight, grad_b, grad_bias : array
        Gradients, zeros at first. All arrays keep their identity; one that is assigned is kept if it is writable,
        aligned and C-contiguous, and copied if not.

    Shapes
    ------
    input (N, ..., dim_in), output (N, ..., dim_out): at least two axes, so one sample is ``x[None]``.

    Raises
    ------
    ShapeError
        If an input has fewer than two axes or another number of features.
    TypeError, ValueError
        If a size is no int, or negative.

    Notes
    -----
    The products are BLAS's; in float32 the bias gradient is summed in double.

    References
    ----------
    Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", Nature 323, 1986.
    """

    parameter_names = ("weight", "bias")

    W = weight = array_attribute("weight", "W", "The weights, (dim_out, dim_in).")
    b = bias = array_attribute("bias", "b", "The bias, (dim_out,), or None.")
    grad_W = grad_weight = array_attribute("grad_weight", "grad_W", "The gradient of W.")
    grad_b = grad_bias = array_attribute("grad_bias", "grad_b", "The gradient of b, or None.")

    def __init__(
        self, dim_in: int, dim_out: int, bias: bool = True, *, dtype: npt.DTypeLike | None = None, seed: Seed = None
    ) -> None:
        super().__init__()
        self.dim_in, self.dim_out = as_size(dim_in, "dim_in"), as_size(dim_out, "dim_out")
        kind, random, bias = choose_dtype(dtype), Randomness(seed), as_flag(bias, "bias")
        bound = 1 / np.sqrt(max(self.dim_in, 1))
        self._weight = random.parameter(bound, (self.dim_out, self.dim_in), kind)
        self._bias = random.parameter(bound, (self.dim_out,), kind) if bias else None
        self._grad_weight = np.zeros((self.dim_out, self.dim_in), kind)
        self._grad_bias = np.zeros(self.dim_out, kind) if bias else None

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return ``input @ W.T + b``."""
        self.output = output = _core.linear_forward(input, self._weight, self._bias)
        return output

    @leaves_frozen
    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output @ W``; write ``grad_W`` and ``grad_b``, or add to them."""
        grad_weight, grad_bias = self._to_write(self._grad_weight), self._to_write(self._grad_bias)
        return _core.linear_backward(input, grad_output, self._weight, grad_weight, grad_bias, bool(accumulate))

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.linear(self._weight, self._bias, self._to_write(self._grad_weight), self._to_write(self._grad_bias))

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return ``2 rows dim_in dim_out`` plus the bias for forward, two such products plus its sum for backward."""
        rows = math.prod(input_shape[:-1])
        product = 2 * rows * self.dim_in * self.dim_out
        bias = 0 if self._bias is None else rows * self.dim_out
        return product + bias, 2 * product + bias

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        bias, dtype = self._bias is not None, self._weight.dtype.name
        return {"dim_in": self.dim_in, "dim_out": self.dim_out, "bias": bias, "dtype": dtype}
