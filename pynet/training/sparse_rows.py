"""Rows of a sparse matrix, dense while they are used and not before."""

from __future__ import annotations

from typing import Any

from ..arrays import Array
from ..data.batches import Rows


class SparseRows:
    """What `Samples` needs of an array, of a matrix of scipy.sparse."""

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix.tocsr()

    def __len__(self) -> int:
        return int(self._matrix.shape[0])

    def __getitem__(self, rows: Rows) -> Array:
        """Return rows as a dense array."""
        dense: Array = self._matrix[rows].toarray()
        return dense


def is_sparse(value: object) -> bool:
    """Whether it is a matrix of scipy.sparse, which need not be installed to know."""
    return hasattr(value, "tocsr") and hasattr(value, "toarray")
