"""CSVLogger: the history as a table, while it is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..checks import as_path
from .callback import Callback

if TYPE_CHECKING:
    from ..training import Trainer


class CSVLogger(Callback):
    """Writes the figures of every epoch to a table as soon as there are any; a resumed run goes on in it.

    Parameters
    ----------
    path : str or path
        What is there is replaced. `pynet.History.from_csv` and ``pynet plot`` read it.

    Raises
    ------
    OSError
        If the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = as_path(path, "path")

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Write what a resumed run has already; see now whether the file can be written."""
        trainer.history.to_csv(self.path)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Write the table; whole, for it is small, and its columns may have become more."""
        trainer.history.to_csv(self.path)
