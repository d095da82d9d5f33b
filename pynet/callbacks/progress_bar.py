"""ProgressBar: how far a run is, and how well it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..checks import as_names
from .callback import Callback

if TYPE_CHECKING:
    from ..training import Trainer

# Short enough for a terminal of 80 columns, figures included.
_FORM = "{desc}{percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]"


class ProgressBar(Callback):
    """Shows epochs, time left, and figures, in terminals and notebooks; silent where nobody looks (tqdm's).

    Parameters
    ----------
    figures : list of str, optional
        Which to show; unless given those of the validation part, or else of the training.

    Raises
    ------
    ImportError
        If the library is missing: ``pip install 'pynet[train]'``.
    """

    def __init__(self, figures: list[str] | None = None) -> None:
        self.figures = None if figures is None else as_names(figures, "figures")
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError("ProgressBar needs a library: pip install 'pynet[train]'") from error
        self._make: Any = tqdm
        self._bar: Any = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Show an empty bar, or that of a resumed run."""
        total, done = trainer.epochs * trainer.batches, trainer.epoch * trainer.batches
        self._bar = self._make(total=total, initial=done, bar_format=_FORM, disable=None, dynamic_ncols=True)

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Show the epoch."""
        self._bar.set_description_str(f"epoch {trainer.epoch}/{trainer.epochs} ", refresh=False)

    def on_progress(self, trainer: Trainer) -> None:
        """Move on."""
        self._bar.update((trainer.epoch - 1) * trainer.batches + trainer.batch - self._bar.n)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Show the figures."""
        last = trainer.history.last()
        held_out = [name for name in last if name.startswith("val_")]
        shown = self.figures or held_out or [name for name in last if name not in ("lr", "time")]
        self._bar.set_postfix_str(", ".join(f"{name} {last[name]:.4f}" for name in shown if name in last))

    def on_fit_end(self, trainer: Trainer) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_bar": None}
