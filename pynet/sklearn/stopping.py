"""When to stop: a loss that gets no better, and the weights that had the best one."""

from __future__ import annotations

import math
from typing import Any

from ..arrays import Array
from ..snapshot import restore_snapshot, take_snapshot


class Stopping:
    """Watches a loss, epoch by epoch; as scikit-learn counts.

    Parameters
    ----------
    patience : float
        After more epochs than these without improvement it is time to stop.
    tol : float
        By how much a loss must be below the best one to count as an improvement.
    keeps_weights : bool
        Whether the weights of the best epoch are kept, to be taken back.

    Attributes
    ----------
    best : float
        The lowest loss so far.
    """

    def __init__(self, patience: float, tol: float, keeps_weights: bool) -> None:
        self.patience, self.tol, self.keeps_weights = patience, tol, keeps_weights
        self.best, self._waited = math.inf, 0
        self._weights: dict[str, Array] = {}

    def is_stalled(self, loss: float, model: Any) -> bool:
        """Take an epoch into account; whether it is time to stop, which begins the count anew."""
        self._waited = self._waited + 1 if not loss <= self.best - self.tol else 0
        if loss < self.best:
            self.best = loss
            if self.keeps_weights:
                self._weights = take_snapshot(model)
        if self._waited <= self.patience:
            return False
        self._waited = 0
        return True

    def restore(self, model: Any) -> None:
        """Give a model the best weights, if there are any."""
        restore_snapshot(model, self._weights)
        self._weights = {}
