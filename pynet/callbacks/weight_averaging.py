"""WeightAveraging: the exponential moving average of the weights, which often does better than the last ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..checks import as_share
from ..errors import StateError
from ..optim.ema import EMA
from ..snapshot import restore_snapshot, take_snapshot
from .callback import Callback

if TYPE_CHECKING:
    from ..training import Trainer


class WeightAveraging(Callback):
    """Averages parameters and buffers over the steps, and gives the model the averages outside of them.

    ``average = decay * average + (1 - decay) * parameter`` after every step. Validation, checkpoints, the best weights
    of `EarlyStopping` and the model at the end have the averages; training goes on with the weights themselves.

    Parameters
    ----------
    decay : float, default 0.999
        From 0 to 1; with 0.999 about the last 1,000 steps count.

    Raises
    ------
    TypeError, ValueError
        If ``decay`` is out of range.

    References
    ----------
    Polyak, Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30, 1992.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = as_share(decay, "decay")
        self._ema: EMA | None = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Begin anew."""
        self._ema = EMA(trainer.model, self.decay)

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Give the model its own weights, to train on."""
        self._give(averages=False)

    def on_batch_end(self, trainer: Trainer) -> None:
        """Move the averages."""
        self._averages.update()

    def on_batches_end(self, trainer: Trainer) -> None:
        """Give the model the averages."""
        self._give(averages=True)

    def _give(self, averages: bool) -> None:
        ema = self._averages
        if ema.num_updates and ema.swapped != averages:
            ema.swap()

    @property
    def _averages(self) -> EMA:
        if self._ema is None:
            raise StateError("there are no averages yet: they begin with fit")
        return self._ema

    def state_dict(self) -> dict[str, Any]:
        """Return the averages, and the weights that the model will go on with."""
        had = self._averages.swapped
        self._give(averages=False)
        state = {"averages": self._averages.state_dict(), "weights": take_snapshot(self._averages.model)}
        self._give(averages=had)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        restore_snapshot(self._averages.model, state["weights"])
        self._averages.load_state_dict(state["averages"])
        self._give(averages=True)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_ema": None}
