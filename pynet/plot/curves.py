"""Learning curves: what a training run has noted, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..checks import as_mapping, as_names
from .figure import TRAINING, VALIDATION, clean, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ASKED_FOR = ("lr", "time")
_WIDE = 100  # the largest loss over the smallest, from where on the small ones lie flat on a linear axis


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
        Losses that are all positive and differ by more than a factor of 100 stand on a logarithmic axis. A dot marks
        the epoch in which ``val_loss`` is lowest.

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
        marks = _marks(key, values)
        marker = {"marker": "o" if marks else "", "markersize": 5, "markevery": marks}
        axes.plot(np.arange(1, len(values) + 1), values, color=color, label=label, **marker)
    if name.endswith("loss") and _are_wide(np.concatenate([history[key] for key, _ in lines.values()])):
        axes.set_yscale("log")
    axes.set(xlabel="epoch", title=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    clean(axes)
    if len(lines) > 1:
        axes.legend(frameon=False)


def _marks(key: str, values: Array) -> list[int]:
    """Return which points to mark: the best epoch, or the only one, which makes no line."""
    if len(values) == 1:
        return [0]
    finite = np.isfinite(values)
    return [int(np.argmin(np.where(finite, values, np.inf)))] if key == "val_loss" and finite.any() else []


def _are_wide(losses: Array) -> bool:
    """Whether losses need a logarithmic axis, and can have one."""
    finite = losses[np.isfinite(losses)]
    return bool(finite.size) and bool(finite.min() > 0) and bool(finite.max() > _WIDE * finite.min())
