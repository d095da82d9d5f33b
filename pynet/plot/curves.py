"""Learning curves: what a training run has noted, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import as_mapping, as_names
from .figure import TRAINING, VALIDATION, clean, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ASKED_FOR = ("lr", "time")


def curves(history: Mapping[str, Sequence[float]], names: Iterable[str] | None = None) -> Figure:
    """Return a figure of a training run's history, one picture for each name, with its ``val_`` partner in the same.

    Parameters
    ----------
    history : mapping of str to list of float
        A value per epoch: ``{"loss": [...], "val_loss": [...], "accuracy": [...]}``.
    names : list of str, optional
        What to draw; unless given all but ``lr`` and ``time``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to draw, or a name is not in the history.
    ImportError
        If matplotlib is missing.
    """
    as_mapping(history, "history")
    shown = _names(history) if names is None else as_names(names, "names")
    missing = [name for name in shown if name not in history]
    if missing or not shown:
        raise ValueError(f"history has {', '.join(history) or 'nothing'}, expected {', '.join(missing) or 'a name'}")
    columns = min(len(shown), 3)
    rows = -(-len(shown) // columns)
    figure = new_figure(4.5 * columns + 0.5, 3.4 * rows)
    for position, name in enumerate(shown, 1):
        draw_curve(figure.add_subplot(rows, columns, position), history, name)
    return figure


def _names(history: Mapping[str, Sequence[float]]) -> list[str]:
    return [
        name for name in history if name not in _ASKED_FOR and name.removeprefix("val_") not in history.keys() - {name}
    ]


def draw_curve(axes: Any, history: Mapping[str, Sequence[float]], name: str) -> None:
    """Draw one figure of a history, and its partner."""
    from matplotlib.ticker import MaxNLocator

    partner = f"val_{name}"
    lines = {"training": (name, TRAINING)} | ({"validation": (partner, VALIDATION)} if partner in history else {})
    for label, (key, color) in lines.items():
        values = np.asarray(history[key], float)
        # One epoch makes no line.
        axes.plot(
            np.arange(1, len(values) + 1), values, color=color, label=label, marker="o" if len(values) < 2 else ""
        )
    axes.set(xlabel="epoch", title=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    clean(axes)
    if len(lines) > 1:
        axes.legend(frameon=False)
