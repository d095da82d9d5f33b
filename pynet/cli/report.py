"""The picture of a training run: learning curves, confusion matrix, and what went wrong."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..arrays import Array

_SHOWN = 12  # misclassified digits, in two rows


def draw(history: dict[str, list[float]], X_test: Array, y_test: Array, predicted: Array) -> Figure:
    """Return a figure of a classifier's history and of its test results."""
    figure = Figure(figsize=(13, 8), layout="constrained")
    rows: Any = figure.subfigures(2, 1, height_ratios=[1.5, 1])
    top, bottom = rows
    loss, accuracy, confusion = top.subplots(1, 3, width_ratios=[1, 1, 1.1])
    _curves(loss, history, "loss")
    _curves(accuracy, history, "accuracy")
    _confusion(confusion, y_test, predicted)
    _mistakes(bottom, X_test, y_test, predicted)
    return figure


def _curves(axes: Any, history: dict[str, list[float]], name: str) -> None:
    epochs = np.arange(1, len(history[name]) + 1)
    axes.plot(epochs, history[name], label="training")
    axes.plot(epochs, history[f"test_{name}"], label="test")
    axes.set(xlabel="epoch", title=name)
    axes.grid(alpha=0.3)
    axes.legend()


def _confusion(axes: Any, y: Array, predicted: Array) -> None:
    classes = int(max(y.max(), predicted.max())) + 1
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (y, predicted), 1)
    axes.imshow(counts, cmap="Blues")
    for row, column in zip(*np.nonzero(counts), strict=True):
        color = "white" if counts[row, column] > counts.max() / 2 else "black"
        axes.text(column, row, counts[row, column], ha="center", va="center", color=color, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true", title=f"confusion matrix, accuracy {np.mean(y == predicted):.4f}")
    axes.set(xticks=range(classes), yticks=range(classes))


def _mistakes(figure: Any, X: Array, y: Array, predicted: Array) -> None:
    wrong = np.flatnonzero(y != predicted)
    side = int(np.sqrt(X.shape[1]))
    figure.suptitle(f"misclassified: {len(wrong)} of {len(y)}" + (f", {_SHOWN} shown" if len(wrong) > _SHOWN else ""))
    axes = figure.subplots(2, _SHOWN // 2).flat
    for axis, position in zip(axes, [*wrong, *[None] * _SHOWN], strict=False):
        axis.set_axis_off()
        if position is not None:
            axis.imshow(X[position].reshape(side, side), cmap="gray_r")
            axis.set_title(f"{y[position]} taken for {predicted[position]}", fontsize=9)
