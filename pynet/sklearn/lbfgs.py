"""Solver "lbfgs": `pynet.optim.LBFGS` with scikit-learn's loss and tolerances."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..optim import LBFGS
from ..optim.lbfgs import Minimum
from .penalty import biases_alone

_TOLERANCE_CHANGE = 1e7 * float(np.finfo(np.float64).eps)  # SciPy's own, which scikit-learn leaves as it is


class Scaled:
    """A criterion whose loss is divided by a number."""

    def __init__(self, criterion: Any, scale: float) -> None:
        self._criterion, self._scale = criterion, scale

    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Any:
        """Return the loss."""
        return self._criterion.forward(input, target) / self._scale

    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return its gradient at the input."""
        grad: Array = self._criterion.backward(input, target) / self._scale
        return grad

    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return what each row adds to it."""
        losses: Array = self._criterion.row_losses(input, target) / self._scale
        return losses


def minimise(
    model: Any, criterion: Scaled, X: Any, target: Array, weight: Array | None, decay: float, **limits: Any
) -> Minimum:
    """Give the parameters their best values; weights decay, biases do not."""
    groups = biases_alone(model)
    optimizer = LBFGS(model, tolerance_change=_TOLERANCE_CHANGE, weight_decay=decay, groups=groups, **limits)
    return optimizer.minimize(criterion, X, target, sample_weight=weight)
