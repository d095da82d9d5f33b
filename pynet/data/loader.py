"""DataLoader: batches of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..checks import as_flag, as_size
from ..errors import ShapeError
from ..random import Randomness, Seed


class DataLoader:
    """Iterates over ``(X, y)`` batch by batch; ``len`` is the number of batches.

    Parameters
    ----------
    X, y : array
        One row per sample in each; dtypes are kept. Memory-mapped arrays are read batch by batch.
    batch_size : int, default 1
        Rows per batch; the last batch has what is left.
    shuffle : bool, default False
        Whether each iteration takes the rows in a new random order. Without it, batches are views of X and y.
    drop_last : bool, default False
        Whether a last batch of fewer rows is left out.
    seed : int or numpy.random.Generator, optional
        Where the order comes from; NumPy's global generator unless given.

    Yields
    ------
    X_batch, y_batch : array

    Raises
    ------
    ShapeError
        If X and y do not have the same number of rows.
    TypeError, ValueError
        If ``batch_size`` is no int or less than 1.
    """

    def __init__(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        seed: Seed = None,
    ) -> None:
        self.X, self.y = as_rows(X, "X"), as_rows(y, "y")
        require_same_rows(X=self.X, y=self.y)
        self.batch_size = batch_size
        self.shuffle, self.drop_last = as_flag(shuffle, "shuffle"), as_flag(drop_last, "drop_last")
        self._random = Randomness(seed)

    @property
    def batch_size(self) -> int:
        """Rows per batch."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, size: Any) -> None:
        self._batch_size = as_size(size, "batch_size", smallest=1)

    def __len__(self) -> int:
        full, rest = divmod(len(self.X), self.batch_size)
        return full + (1 if rest and not self.drop_last else 0)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        order: Any = self._random.permutation(len(self.X)) if self.shuffle else None
        for batch in range(len(self)):
            rows = slice(batch * self.batch_size, (batch + 1) * self.batch_size)
            chosen = rows if order is None else order[rows]
            yield self.X[chosen], self.y[chosen]

    def __repr__(self) -> str:
        options = f"batch_size={self.batch_size}, shuffle={self.shuffle}" + (
            ", drop_last=True" if self.drop_last else ""
        )
        return f"DataLoader({len(self.X)} rows, {options})"


def as_rows(value: npt.ArrayLike, name: str) -> Array:
    """Return an array with at least one axis, uncopied if it is one; of whatever dtype."""
    array = value if isinstance(value, np.ndarray) else _converted(value, name)
    if array.ndim == 0:
        raise ShapeError(f"{name} has no axes, expected one row per sample")
    return array


def _converted(value: Any, name: str) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        if isinstance(value, list | tuple):
            raise TypeError(f"{name} must be an array, got a {type(value).__name__}: {error}") from None
        raise
    if array.ndim == 0 and array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array, got {type(value).__name__}")
    return array


def require_same_rows(**arrays: Array) -> None:
    """Raise ShapeError unless all arrays have the same number of rows."""
    if len({len(array) for array in arrays.values()}) > 1:
        counts = ", ".join(f"{name} has {len(array)}" for name, array in arrays.items())
        raise ShapeError(f"all arrays must have the same number of rows: {counts}")
