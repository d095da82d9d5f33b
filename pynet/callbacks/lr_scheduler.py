"""LRScheduler: a schedule of `pynet.optim.lr_scheduler`, stepped as the run goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..checks import as_choice
from ..optim.lr_scheduler import ReduceLROnPlateau
from .callback import Callback
from .monitor import Monitor

if TYPE_CHECKING:
    from ..training import Trainer


class LRScheduler(Callback):
    """Steps a schedule after every epoch, or after every batch.

    Parameters
    ----------
    schedule : schedule
        Of the trainer's optimizer: ``CosineAnnealingLR(optimizer, T_max=20)``.
    every : {"epoch", "batch"}, default "epoch"
        When to step; OneCycleLR is made for batches.
    monitor : str, default "val_loss"
        The figure that ReduceLROnPlateau is given; others need none.

    Raises
    ------
    TypeError, ValueError
        If the schedule is none or another optimizer's; at the start of `fit`, if the run will not have that figure.
    """

    def __init__(self, schedule: Any, every: str = "epoch", monitor: str = "val_loss") -> None:
        if isinstance(schedule, type) or not callable(getattr(schedule, "step", None)):
            raise TypeError(f"schedule must be one of pynet.optim.lr_scheduler, got {schedule!r:.80}")
        self.schedule, self.every = schedule, as_choice(every, "every", ("epoch", "batch"))
        self.monitor = Monitor(monitor, "auto").name
        self._plateau = isinstance(schedule, ReduceLROnPlateau)
        if self._plateau and every == "batch":
            raise ValueError("ReduceLROnPlateau looks at the figures of an epoch: every must be 'epoch'")

    def on_fit_begin(self, trainer: Trainer) -> None:
        """See whether the schedule fits the run."""
        if getattr(self.schedule, "optimizer", trainer.optimizer) is not trainer.optimizer:
            raise ValueError("schedule is of another optimizer than the trainer's")
        if self._plateau:
            Monitor(self.monitor, "auto").require(trainer)

    @property
    def wants_batches(self) -> bool:
        """Whether each batch is a step of the schedule."""
        return self.every == "batch"

    def on_batch_end(self, trainer: Trainer) -> None:
        """Step, if each batch is one."""
        if self.wants_batches:
            self.schedule.step()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Step, if each epoch is one."""
        if self._plateau:
            self.schedule.step(trainer.history[self.monitor][-1])
        elif self.every == "epoch":
            self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the schedule's."""
        return dict(self.schedule.state_dict())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.schedule.load_state_dict(state)
