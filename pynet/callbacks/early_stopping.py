"""EarlyStopping: no further when it gets no better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..arrays import Array
from ..checks import as_flag, as_size
from ..snapshot import restore_snapshot, take_snapshot
from .callback import Callback
from .monitor import Monitor

if TYPE_CHECKING:
    from ..training import Trainer


class EarlyStopping(Callback):
    """Stops a run whose figure has not improved for some epochs, and takes the best weights back.

    Parameters
    ----------
    monitor : str, default "val_loss"
        The figure to watch.
    patience : int or None, default 10
        After how many epochs without improvement to stop; None never stops, and only takes the best weights.
    min_delta : float, default 0
        By how much a value must be better than the best to count.
    restore_best : bool, default True
        Whether the model gets the parameters and buffers of its best epoch at the end, however the run ends.
    mode : {"auto", "min", "max"}, default "auto"
        Which is better; auto: larger for figures that end in ``accuracy`` or ``r2``, else smaller.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int
        The epoch it was in, from 1 on; 0 before there is one.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range; at the start of `fit`, if the run will not have that figure.

    References
    ----------
    Prechelt, "Early stopping - but when?", in: Neural networks: tricks of the trade, 1998.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int | None = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: str = "auto",
    ) -> None:
        self.monitor, self.mode, self.min_delta = monitor, mode, min_delta
        self.patience = None if patience is None else as_size(patience, "patience")
        self.restore_best = as_flag(restore_best, "restore_best")
        self._reset()

    def _reset(self) -> None:
        self._watched = Monitor(self.monitor, self.mode, self.min_delta)
        self.best_epoch, self._waited = 0, 0
        self._best_weights: dict[str, Array] = {}

    @property
    def best(self) -> float | None:
        """The best value so far."""
        return self._watched.best

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Begin anew."""
        self._reset()
        self._watched.require(trainer)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Keep the best weights; stop when it has not improved for too long."""
        if self._watched.improves(trainer):
            self.best_epoch, self._waited = trainer.epoch, 0
            if self.restore_best:
                self._best_weights = take_snapshot(trainer.model)
            return
        self._waited += 1
        if self.patience is not None and self._waited >= max(self.patience, 1):
            trainer.stop(f"{self.monitor} has not improved since epoch {self.best_epoch}")

    def on_fit_end(self, trainer: Trainer) -> None:
        """Take the best weights back."""
        restore_snapshot(trainer.model, self._best_weights)
        self._best_weights = {}  # they are not those of the next run

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, its epoch and weights, and how long it has been."""
        weights = {name: array.copy() for name, array in self._best_weights.items()}
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self._waited, "weights": weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self._watched.best, self.best_epoch, self._waited = state["best"], state["best_epoch"], state["waited"]
        self._best_weights = dict(state["weights"])
