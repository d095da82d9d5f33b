"""What an epoch's batches come to: loss and metrics."""

from __future__ import annotations

import copy

from ..arrays import Array
from ..metrics import Metric


class Sums:
    """Loss and metrics over the batches of an epoch."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._loss, self._rows, self._metrics = 0.0, 0, copy.deepcopy(metrics)
        for metric in self._metrics:
            metric.reset()

    def add(self, loss: float, output: Array | None, target: Array) -> None:
        """Take a batch into account; its output is needed for metrics only."""
        self._loss += loss * len(target)
        self._rows += len(target)
        for metric in self._metrics:
            assert output is not None
            metric.update(output, target)

    @property
    def loss(self) -> float:
        """The mean loss per row."""
        return self._loss / self._rows

    def figures(self) -> dict[str, float]:
        """Return all by name."""
        return {"loss": self.loss} | {metric.name: metric.result() for metric in self._metrics}
