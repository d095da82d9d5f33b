"""An empty figure, made without pyplot, so that nothing global is touched, and which notebooks still show."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAINING, VALIDATION = "#1f77b4", "#d95f02"
MUTED = "#666666"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'pynet[train]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    # What IPython asks an object for; pyplot would otherwise have to tell it about figures.
    vars(figure)["_repr_png_"] = functools.partial(_png, figure)
    return figure


def clean(axes: Any) -> None:
    """Leave of the frame what carries numbers, and put a light grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)


def _png(figure: Figure) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
