"""Hardtanh cuts off what is beyond two limits."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..checks import as_finite
from .elementwise import Elementwise, Kernel


class Hardtanh(Elementwise):
    """``min(max(x, min_val), max_val)``, element by element.

    A NaN stays NaN. The derivative is 1 between the limits, and 0 elsewhere: at the limits too, as PyTorch's.

    Parameters
    ----------
    min_val : float, default -1.0
        The lower limit; finite.
    max_val : float, default 1.0
        The upper limit; finite and above the lower one.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    Raises
    ------
    TypeError, ValueError
        If a limit is no number, not finite, or on the wrong side of the other; also when it is assigned.

    References
    ----------
    Collobert, "Large scale machine learning", PhD thesis, Université Paris VI, 2004.
    """

    operations = (2, 2)
    kernel = Kernel(_core.hardtanh_forward, _core.hardtanh_backward, _core.Plan.hardtanh)

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        self._min_val, self._max_val = _as_limits(min_val, max_val)

    @property
    def min_val(self) -> float:
        """The lower limit."""
        return self._min_val

    @min_val.setter
    def min_val(self, value: Any) -> None:
        self._set(value, self._max_val)

    @property
    def max_val(self) -> float:
        """The upper limit."""
        return self._max_val

    @max_val.setter
    def max_val(self, value: Any) -> None:
        self._set(self._min_val, value)

    def _set(self, min_val: Any, max_val: Any) -> None:
        self._min_val, self._max_val = _as_limits(min_val, max_val)
        _core.structure_changed()

    def _numbers(self) -> tuple[float, ...]:
        return (self._min_val, self._max_val)


def _as_limits(min_val: Any, max_val: Any) -> tuple[float, float]:
    low, high = as_finite(min_val, "min_val"), as_finite(max_val, "max_val")
    if not low < high:
        raise ValueError(f"min_val must be less than max_val, got {low} and {high}")
    return low, high
