"""Amounts to be predicted, between a user's numbers and the columns of a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import criteria
from ..arrays import Array
from ..criteria import MSE, GaussianNLLLoss, PinballLoss, PoissonNLLLoss
from ..criterion import Criterion
from ..errors import ShapeError
from ..metrics import r2_score
from .outputs import DISTRIBUTIONS, count

_OURS = {getattr(criteria, name) for name in criteria.__all__}


class Amounts:
    """Numbers: a column of outputs for each column of targets."""

    scale = 2.0  # scikit-learn's squared error is half of MSE

    def __init__(self, width: int) -> None:
        self.width = width

    @classmethod
    def learn(cls, y: Any) -> Amounts:
        """Return how many columns targets have."""
        return cls(1 if y.ndim == 1 else y.shape[1])

    def require_same(self, y: Any, classes: Any, partial: bool) -> None:
        """Accept targets to go on with: `encode` looks at their columns."""

    def columns(self, criterion: Any) -> int:
        """Return how many outputs a network needs.

        Raises
        ------
        ValueError
            If there are several columns of targets for quantiles.
        """
        if isinstance(criterion, PinballLoss):
            if self.width > 1:
                raise ValueError(f"PinballLoss predicts quantiles of one column, y has {self.width}")
            return len(criterion.quantiles)
        return 2 * self.width if isinstance(criterion, GaussianNLLLoss) else self.width

    def require_columns(self, criterion: Any, outputs: Array, predictions: Array) -> None:
        """Raise ShapeError unless there are as many outputs as pynet's criteria need; one's own may need others."""
        criterion = MSE() if criterion is None else criterion
        expected, found = self.columns(criterion), outputs.shape[1]
        if type(criterion) in _OURS and found != expected:
            text = f"the module has {count(found, 'output')}, expected {expected}"
            raise ShapeError(f"{text} for {count(self.width, 'column')} of y and {criterion!r}")

    def criterion(self, columns: int) -> Criterion:
        """Return the default criterion."""
        return MSE()

    def encode(self, y: Any) -> Array:
        """Return (N, columns)."""
        rows: Array = y.reshape(len(y), -1)
        if rows.shape[1] != self.width:
            raise ValueError(f"y has {rows.shape[1]} columns, expected {self.width}")
        return rows

    def target(self, codes: Array, criterion: Any, columns: int, dtype: Any) -> Array:
        """Return amounts as a criterion takes them.

        Raises
        ------
        ValueError
            If they are not what the criterion is for.
        """
        name = type(criterion).__name__
        if isinstance(criterion, PoissonNLLLoss) and codes.min() < 0:
            raise ValueError(f"y must not be negative with criterion {name}, got {codes.min()}")
        if isinstance(criterion, DISTRIBUTIONS):
            shares = np.exp(codes) if getattr(criterion, "log_target", False) else codes
            if self.width == 1 or shares.min() < 0 or not np.allclose(shares.sum(axis=1), 1, atol=1e-3):
                expected = "y must be rows of shares with a sum of 1; a classifier learns classes"
                raise ValueError(f"criterion {name} is for distributions: {expected}")
        return codes.astype(dtype, copy=False)

    def decode(self, predictions: Array) -> Array:
        """Return (N,) for one column, as scikit-learn does."""
        return predictions[:, 0] if predictions.ndim == 2 and predictions.shape[1] == 1 else predictions

    def best_guess(self, predictions: Array, criterion: Any) -> Array:
        """Return one number for each target: of several quantiles the one nearest to the median."""
        if not isinstance(criterion, PinballLoss):
            return predictions
        nearest = int(np.argmin(np.abs(criterion.quantiles - 0.5)))
        return predictions.reshape(len(predictions), -1)[:, nearest : nearest + 1]

    def score(self, predictions: Array, codes: Array, criterion: Any) -> float:
        """Return R², averaged over the columns."""
        return r2_score(self.best_guess(predictions, criterion), codes.astype(predictions.dtype))
