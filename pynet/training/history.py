"""History: the figures of a training run, epoch by epoch."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from typing import Any

from ..checks import as_mapping, as_number, as_path
from ..errors import CheckpointError


class History(dict[str, list[float]]):
    """Figures by name, each a list with one number per epoch: ``history["val_loss"][-1]``.

    ``loss``, the metrics by their names, both with ``val_`` in front where there is a validation part, ``lr`` and
    ``time`` (seconds that the epoch took, validation included). ``pandas.DataFrame(history)`` makes a table of it.

    Attributes
    ----------
    epochs : int
        How many there are.
    stopped : str
        Why the run ended: ``"epochs"`` for all that were asked for, ``"interrupted"`` for Ctrl-C, or what a callback
        gave as its reason; empty while it goes on.
    """

    def __init__(self, figures: Mapping[str, list[float]] | None = None) -> None:
        super().__init__(
            {name: list(values) for name, values in as_mapping({} if figures is None else figures, "figures").items()}
        )
        self.stopped = ""

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return max(map(len, self.values()), default=0)

    def append(self, figures: Mapping[str, float]) -> None:
        """Add an epoch; what another epoch had and this one has not is NaN, and the other way round."""
        figures = {name: as_number(value, name) for name, value in as_mapping(figures, "figures").items()}
        epochs = self.epochs
        for name in figures:
            if name not in self:
                self[name] = [math.nan] * epochs
        for name, values in self.items():
            values.append(figures.get(name, math.nan))

    def last(self) -> dict[str, float]:
        """Return the figures of the last epoch."""
        return {name: values[-1] for name, values in self.items() if values}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a table with a header, one line per epoch, beginning with ``epoch`` from 1 on."""
        with open(as_path(path, "path"), "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["epoch", *self])
            table.writerows([epoch, *row] for epoch, row in enumerate(zip(*self.values(), strict=True), 1))

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str]) -> History:
        """Read what `to_csv` wrote.

        Raises
        ------
        CheckpointError
            If the file is no such table.
        """
        try:
            with open(as_path(path, "path"), newline="", encoding="utf-8") as file:
                header, *rows = csv.reader(file)
            columns = [list(map(float, column)) for column in zip(*rows, strict=True)] or [[] for _ in header]
            named = dict(zip(header, columns, strict=True))
            del named["epoch"]
        except (ValueError, KeyError) as error:
            raise CheckpointError(f"{os.fspath(path)} is no table of a training run: {error}") from None
        return cls(named)

    def plot(self) -> Any:
        """Return a matplotlib figure of the curves, which notebooks show: see `pynet.plot.curves`."""
        from ..plot import curves

        return curves(self)

    def __repr__(self) -> str:
        figures = "".join(f", {name} {value:.4g}" for name, value in self.last().items() if name != "time")
        return f"History({self.epochs} epochs{figures})"
