"""Activations: how the outputs of each layer are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_array
from ..hooks import capture
from ..inspection.trial import trial
from ..places import leaves, placed_title
from .figure import MUTED, TRAINING, clean, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS = 50


def activations(model: Any, x: npt.ArrayLike) -> Figure:
    """Return a figure with a histogram of what each leaf layer puts out, and the share of exact zeros in its title.

    Exact zeros, which would hide all else, are not in the histogram: after a `ReLU` about half is normal, and nearly
    all means dead units. A copy of the model runs, in the model's present modes; nothing in the model or in NumPy's
    random state changes.

    Parameters
    ----------
    model : module
        A user's own too. Of a layer that stands twice the last output is drawn.
    x : array
        An input of the model.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError, TypeError
        If ``x`` does not fit: the layer's own error.
    ImportError
        If matplotlib is missing.
    """
    with trial(model) as tried:
        found = leaves(tried)
        with capture(tried) as seen:
            tried.forward(as_array(x, "x"))
    shown = [(placed_title(place, module), seen.outputs[place]) for place, module in found if place in seen.outputs]
    columns = min(len(shown), 4)
    rows = -(-len(shown) // columns)
    figure = new_figure(3.2 * columns + 0.3, 2.4 * rows + 0.2)
    for position, (title, output) in enumerate(shown, 1):
        _draw(figure.add_subplot(rows, columns, position), title, np.asarray(output))
    return figure


def _draw(axes: Any, title: str, output: Array) -> None:
    finite = output[np.isfinite(output)]
    other = finite[finite != 0]
    about = f"{(output == 0).mean() if output.size else 0:.1%} zeros"
    if finite.size < output.size:
        about += f", {output.size - finite.size} not finite"
    axes.set_title(f"{title}\n{about}", fontsize=9)
    clean(axes)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if not other.size:
        axes.set_xticks([])
    else:
        counts, edges = np.histogram(other, bins=_BINS)
        axes.stairs(counts, edges, fill=True, color=TRAINING)
        axes.axvline(0, color=MUTED, linewidth=0.8)
