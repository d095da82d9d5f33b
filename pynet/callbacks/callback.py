"""Callback: what else is to happen while a Trainer trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..describe import call_text

if TYPE_CHECKING:
    from ..training import Trainer


class Callback:
    """Base of all callbacks: does nothing. Override the moments that matter.

    Each gets the `Trainer`, whose ``history``, ``epoch``, ``batch``, ``loss``, ``model`` and ``optimizer`` can be read,
    and whose ``stop(reason)`` ends the run after the epoch.

    Examples
    --------
    >>> class Norm(pynet.callbacks.Callback):
    ...     def on_epoch_end(self, trainer):
    ...         print(trainer.epoch, np.linalg.norm(trainer.model[0].W))
    """

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Before the first epoch; a run that is resumed has its history by then, and the callback not yet its state."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, trainer: Trainer) -> None:
        """After each step. Whoever defines it has batches run one by one; `on_progress` costs less."""

    def on_progress(self, trainer: Trainer) -> None:
        """Now and then in an epoch, and after its last batch: for what is only shown."""

    def on_batches_end(self, trainer: Trainer) -> None:
        """After the last step of an epoch, or the one that Ctrl-C has made the last; before validation."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After an epoch whose figures are in the history."""

    def on_epoch_complete(self, trainer: Trainer) -> None:
        """After every callback's `on_epoch_end`: the moment to save what can be resumed."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last epoch, also after Ctrl-C or an error."""

    @property
    def wants_batches(self) -> bool:
        """Whether it has something to do after each step."""
        return getattr(self.on_batch_end, "__func__", None) is not Callback.on_batch_end

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: numbers, texts, None, arrays, and lists and dicts of these."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""

    def __repr__(self) -> str:
        return call_text(self)
