"""The picture of a training run: its curves, what the network takes for what, and where it errs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..metrics import confusion_matrix
from ..plot.confusion_matrix import draw_counts
from ..plot.curves import draw_curve
from ..plot.figure import MUTED, TRAINING, clean, new_figure
from ..training import History
from .encoding import ArrayInputs, Classes
from .model_file import Trained
from .scores import Scores

_SHOWN = 12  # images of what was taken for something else


def draw(trained: Trained, history: History, scores: dict[str, Scores]) -> Any:
    """Return a figure of a run and of its results on the test part or the rows held out, if there are any."""
    found = list(scores.items())[-1:]
    images = _image_shape(trained) if found else None
    figure = new_figure(13, 8 if images else 4.8)
    parts: Any = figure.subfigures(2, 1, height_ratios=[1.5, 1]) if images else [figure]
    names = [name for name in history if f"val_{name}" in history or name == "loss"]
    axes = parts[0].subplots(1, max(len(names) + len(found), 1), squeeze=False)[0]
    for axis, name in zip(axes, names, strict=False):
        draw_curve(axis, history, name)
    for part, held_out in found:
        _results(axes[-1], trained, held_out, part)
        if images:
            _mistakes(parts[1], trained, held_out, images)
    return figure


def _results(axes: Any, trained: Trained, scores: Scores, part: str) -> None:
    target = trained.encoding.target
    if isinstance(target, Classes):
        names = [str(name) for name in target.classes]
        draw_counts(axes, confusion_matrix(scores.predicted, scores.true, len(names)), names)
        axes.set_title(f"{part}: accuracy {scores.figures['accuracy']:.4f}")
        return
    both = np.concatenate([scores.true, scores.predicted])
    low, high = both.min(), both.max()
    axes.plot([low, high], [low, high], color=MUTED, linewidth=0.8)
    axes.plot(scores.true.ravel(), scores.predicted.ravel(), ".", color=TRAINING, alpha=0.5, markersize=4)
    axes.set(xlabel=f"true {target.name}", ylabel="predicted", title=f"{part}: R² {scores.figures['r2']:.4f}")
    clean(axes)


def _image_shape(trained: Trained) -> tuple[int, int] | None:
    """Return the shape of inputs that are images: of one scale, and square if they are flat."""
    inputs = trained.encoding.inputs
    if not isinstance(inputs, ArrayInputs) or len(inputs.scale) > 1 or not isinstance(trained.encoding.target, Classes):
        return None
    if len(inputs.shape) == 2:
        return inputs.shape[0], inputs.shape[1]
    side = int(np.sqrt(np.prod(inputs.shape)))
    return (side, side) if [side * side] == inputs.shape else None


def _mistakes(figure: Any, trained: Trained, scores: Scores, shape: tuple[int, int]) -> None:
    wrong = np.flatnonzero(scores.true != scores.predicted)
    shown = f", {_SHOWN} shown" if len(wrong) > _SHOWN else ""
    figure.suptitle(f"misclassified: {len(wrong)} of {len(scores.true):,}{shown}")
    names = getattr(trained.encoding.target, "classes", [])
    axes = figure.subplots(2, _SHOWN // 2).flat
    for axis, position in zip(axes, [*wrong, *[None] * _SHOWN], strict=False):
        axis.set_axis_off()
        if position is not None:
            axis.imshow(scores.features[position].reshape(shape), cmap="gray_r")
            axis.set_title(f"{names[scores.true[position]]} taken for {names[scores.predicted[position]]}", fontsize=9)
