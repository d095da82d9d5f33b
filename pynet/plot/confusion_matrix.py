"""Confusion matrix: which classes a classifier takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..arrays import Array, as_array
from ..checks import as_items
from ..errors import ShapeError
from .figure import MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# With more classes the counts would not be legible.
_WRITTEN = 20


def confusion_matrix(predicted: npt.ArrayLike, y: npt.ArrayLike, classes: Sequence[object] | None = None) -> Figure:
    """Return a figure of how often each class, in rows, was taken for each, in columns.

    Colours show the share of a row on a square root scale, so that single mistakes can be seen; up to 20 classes the
    counts are written in the cells.

    Parameters
    ----------
    predicted, y : array (N,) of int
        Predicted and true labels, from 0 on, in the order of criteria and metrics; of scores ``scores.argmax(axis=1)``.
    classes : list of str, optional
        The names of the classes; their numbers unless given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If the labels are not two rows of the same length.
    TypeError
        If the labels are no integers.
    ValueError
        If there are none, or one is negative or beyond the names.
    ImportError
        If matplotlib is missing.
    """
    true, got = _as_labels(y, "y"), _as_labels(predicted, "predicted")
    if true.shape != got.shape:
        raise ShapeError(f"predicted has {len(got)} labels, expected {len(true)} as y")
    names = list(range(int(max(true.max(), got.max())) + 1)) if classes is None else as_items(classes, "classes")
    if max(true.max(), got.max()) >= len(names):
        raise ValueError(f"there is a label {max(true.max(), got.max())}, but only {len(names)} classes are named")
    counts = metrics.confusion_matrix(got, true, len(names))
    size = min(max(3.6, 0.48 * len(names) + 1.8), 9)
    figure = new_figure(size + 0.4, size)
    draw_counts(figure.add_subplot(), counts, [str(name) for name in names])
    return figure


def _as_labels(value: npt.ArrayLike, name: str) -> Array:
    labels = as_array(value, name)
    if labels.ndim != 1:
        hint = ": write .argmax(axis=1)" if labels.ndim == 2 else ""
        raise ShapeError(f"{name} has shape {labels.shape}, expected one label for each sample{hint}")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integer labels, got {labels.dtype}")
    if not labels.size:
        raise ValueError(f"{name} is empty")
    if labels.min() < 0:
        raise ValueError(f"{name} has a label {labels.min()}, expected at least 0")
    return labels


def draw_counts(axes: Any, counts: Array, names: list[str]) -> None:
    """Draw counts of true classes, in rows, and predicted ones, in columns."""
    shade = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1)
    if len(names) <= _WRITTEN:
        for row, column in zip(*np.nonzero(counts), strict=True):
            color = "white" if shade[row, column] > 0.6 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color, fontsize=8)
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(range(len(names)), names)
        if max(map(len, names)) > 3:
            axes.tick_params(axis="x", rotation=90)
    axes.spines[:].set_color(MUTED)
    accuracy = np.trace(counts) / counts.sum()
    axes.set(xlabel="predicted", ylabel="true", title=f"accuracy {accuracy:.4f}, {counts.sum():,} samples")
