"""Checkpoint: files from which a run can be resumed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..checks import as_path, as_size
from .callback import Callback
from .monitor import Monitor

if TYPE_CHECKING:
    from ..training import Trainer


class Checkpoint(Callback):
    """Writes the model with the whole state of its run: ``fit(..., resume=path)`` goes on from there.

    The file is also a model file for `pynet.load`. It is replaced at once or not at all, so a run that is killed leaves
    its last whole one. What is random goes on where it was, NumPy's global generator too.

    Parameters
    ----------
    path : str or path
        Ends in ``.npz`` or ``.safetensors``; ``{epoch}`` in it stands for the epoch, as in ``"run-{epoch:03}.npz"``.
    monitor : str, optional
        Write only when this figure is the best so far.
    mode : {"auto", "min", "max"}, default "auto"
        Which is better: see `EarlyStopping`.
    every : int, default 1
        Write only every so many epochs.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range; at the start of `fit`, if the run will not have that figure.
    OSError
        If the file cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str], monitor: str | None = None, mode: str = "auto", every: int = 1
    ) -> None:
        self.path, self.monitor, self.mode = as_path(path, "path"), monitor, mode
        self.every = as_size(every, "every", smallest=1)
        if os.path.splitext(self.path)[1] not in (".npz", ".safetensors"):
            raise ValueError(f"path must end in .npz or .safetensors, got {self.path!r}")
        try:
            self.path.format(epoch=1)
        except (KeyError, IndexError, ValueError):
            raise ValueError(f"path may have {{epoch}} in it and no other braces, got {self.path!r}") from None
        self._watched = None if monitor is None else Monitor(monitor, mode)

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Forget the best value of an earlier run."""
        if self._watched is not None:
            self._watched.best = None
            self._watched.require(trainer)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Look whether this epoch is to be written."""
        due = trainer.epoch % self.every == 0
        self._due = due if self._watched is None else due and self._watched.improves(trainer)

    def on_epoch_complete(self, trainer: Trainer) -> None:
        """Write it, now that all callbacks are done with the epoch."""
        if self._due:
            trainer.save_checkpoint(self.path.format(epoch=trainer.epoch))

    def state_dict(self) -> dict[str, Any]:
        """Return the best value."""
        return {"best": None if self._watched is None else self._watched.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        if self._watched is not None:
            self._watched.best = state["best"]
