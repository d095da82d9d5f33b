"""Which rows make up each batch of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from ..arrays import Array

Rows: TypeAlias = "slice | Array"


def batches(rows: int, batch_size: int, order: Array | None = None) -> Iterator[Rows]:
    """Yield the rows of each batch: slices, or pieces of an order."""
    ends = batch_ends(rows, batch_size)
    for start, end in zip([0, *ends], ends, strict=False):
        yield slice(start, end) if order is None else order[start:end]


def batch_ends(rows: int, batch_size: int) -> list[int]:
    """Return where each batch ends; a last batch of one row joins the one before it, for BatchNorm needs two."""
    ends = [*range(batch_size, rows, batch_size), rows]
    if len(ends) > 1 and batch_size > 1 and ends[-1] - ends[-2] == 1:
        del ends[-2]
    return ends
