"""Weights: what each unit of a layer looks for, as an image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..checks import as_items, as_size
from ..places import placed_title, places
from .figure import MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weights(layer: Any, shape: tuple[int, int] | None = None, count: int = 32) -> Figure:
    """Return a figure of the first rows of ``W`` as images: red where a unit wants much, blue where it wants little.

    Parameters
    ----------
    layer : module
        A `Linear`, or another with a matrix ``W``, (outputs, inputs); of a model the first such layer.
    shape : (height, width), optional
        Of an image; unless given a square.
    count : int, default 32
        How many rows to draw at most.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError
        If there is no layer with a matrix ``W``.
    ValueError
        If ``shape`` does not hold the number of inputs, or is not given and that number is no square; if W is empty.
    ImportError
        If matplotlib is missing.
    """
    place, found = _first_with_matrix(layer)
    W = np.asarray(found.W)[: as_size(count, "count", smallest=1)]
    if not W.size:
        raise ValueError(f"{placed_title(place, found)} has no weights to draw")
    height, width = _image_shape(W.shape[1], shape)
    columns = min(len(W), max(1, math.ceil(math.sqrt(len(W) * 2 * height / width))))
    rows = -(-len(W) // columns)
    cell = 0.85
    figure = new_figure(cell * columns + 1.1, cell * rows * height / width + 0.6)
    _draw(figure, W.reshape(-1, height, width), rows, columns)
    figure.suptitle(f"{placed_title(place, found)}: {len(W)} of {len(found.W)} rows of W", fontsize=10)
    return figure


def _first_with_matrix(model: Any) -> tuple[str, Any]:
    for place, module in places(model):
        matrix: Any = getattr(module, "W", None)
        if np.ndim(matrix) == 2:
            return place, module
    raise TypeError(f"{type(model).__name__} has no layer with a matrix W, such as Linear")


def _image_shape(inputs: int, shape: Any) -> tuple[int, int]:
    side = math.isqrt(inputs)
    if shape is None and side * side != inputs:
        raise ValueError(f"{inputs} inputs make no square image: give shape=(height, width)")
    sides = [side, side] if shape is None else [as_size(size, "shape", smallest=1) for size in as_items(shape, "shape")]
    if len(sides) != 2:
        raise TypeError(f"shape must be (height, width), got {shape!r:.80}")
    height, width = sides
    if height * width != inputs:
        raise ValueError(
            f"shape {(height, width)} has {height * width} pixels, expected {inputs} as the layer has inputs"
        )
    return height, width


def _draw(figure: Figure, images: Array, rows: int, columns: int) -> None:
    largest = float(np.abs(images[np.isfinite(images)]).max(initial=0)) or 1.0
    grid: Any = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(MUTED)
    for axes, image in zip(grid.flat, images, strict=False):
        drawn = axes.imshow(image, cmap="RdBu_r", vmin=-largest, vmax=largest)
    for axes in grid.flat[len(images) :]:
        axes.set_axis_off()
    figure.colorbar(drawn, ax=grid, shrink=0.8, aspect=30).outline.set_visible(False)
