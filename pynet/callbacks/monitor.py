"""The figure that a callback watches, and its best value so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..checks import as_at_least_zero, as_choice

if TYPE_CHECKING:
    from ..training import Trainer

_LARGER_IS_BETTER = ("accuracy", "r2")


class Monitor:
    """Watches one figure of the history.

    Parameters
    ----------
    name : str
        ``"val_loss"``, ``"accuracy"``, ...
    mode : {"auto", "min", "max"}
        Which is better; auto: larger for figures that end in ``accuracy`` or ``r2``, else smaller.
    min_delta : float
        By how much a value must be better than the best to count.
    """

    def __init__(self, name: str, mode: str, min_delta: float = 0.0) -> None:
        if not isinstance(name, str):
            raise TypeError(f"monitor must be the name of a figure, got {name!r}")
        self.name, self.min_delta = name, as_at_least_zero(min_delta, "min_delta")
        mode = as_choice(mode, "mode", ("auto", "min", "max"))
        larger = name.endswith(_LARGER_IS_BETTER) if mode == "auto" else mode == "max"
        self._sign = -1 if larger else 1
        self.best: float | None = None

    def require(self, trainer: Trainer) -> None:
        """Raise ValueError if the run will not have the figure."""
        if self.name not in trainer.figures:
            hint = f": {trainer.validation_hint}" if self.name.startswith("val_") else ""
            raise ValueError(f"monitor is {self.name!r}, which is none of the run's figures {trainer.figures}{hint}")

    def improves(self, trainer: Trainer) -> bool:
        """Whether the last epoch is the best so far; NaN never is."""
        value = trainer.history[self.name][-1]
        if math.isnan(value):
            return False
        better = self.best is None or self._sign * value < self._sign * self.best - self.min_delta
        if better:
            self.best = value
        return better
