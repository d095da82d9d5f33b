"""One-hot rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_array, choose_dtype
from ..checks import LARGEST_SIZE, as_size
from ..errors import ShapeError


def one_hot(labels: npt.ArrayLike, classes: int | None = None, dtype: npt.DTypeLike | None = None) -> Array:
    """Return a row per label, 1 at the label and 0 elsewhere.

    Parameters
    ----------
    labels : array (N,) of int
        From 0 to classes - 1.
    classes : int, optional
        Number of classes; the largest label and one unless given.
    dtype : float32 or float64, optional
        `pynet.get_default_dtype()` unless given.

    Returns
    -------
    array (N, classes)

    Raises
    ------
    TypeError
        If the labels are not integers.
    ShapeError
        If they have not one axis.
    ValueError
        If one is negative or not less than ``classes``.
    """
    array = as_array(labels, "labels")
    if array.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got dtype {array.dtype}")
    if array.ndim != 1:
        raise ShapeError(f"labels has shape {array.shape}, expected one axis")
    size = LARGEST_SIZE if classes is None else as_size(classes, "classes")
    wrong = np.flatnonzero((array < 0) | (array >= size))
    if wrong.size:
        raise ValueError(f"labels has {array[wrong[0]]} in row {wrong[0]}, expected 0 to {size - 1}")
    if classes is None:
        size = int(array.max()) + 1 if array.size else 0
    rows = np.zeros((len(array), size), choose_dtype(dtype))
    rows[np.arange(len(array)), array] = 1
    return rows
