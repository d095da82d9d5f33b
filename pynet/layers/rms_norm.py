"""RMSNorm gives every sample's last axes a mean square of 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from ..checks import as_at_least_zero
from ..watched import Watched
from .last_axes_norm import _LastAxesNorm


def as_eps(value: Any, name: str) -> float | None:
    """Return a number that is not negative, or None."""
    return None if value is None else as_at_least_zero(value, name)


class RMSNorm(_LastAxesNorm):
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
    _centred = False
    _element_flops = 2, 1, 2 + 3  # a square and a sum; a quotient

    eps = Watched(as_eps, "Added to the mean square; None: the machine epsilon.")

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine, bias=False, dtype=dtype)
