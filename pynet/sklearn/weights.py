"""What each row counts: its own weight times that of its class."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from ..arrays import Array, as_row_weights


def row_weights(y: Any, sample_weight: Any, class_weight: Any, name: str = "sample_weight") -> Array | None:
    """Return one weight per row, those of a sample times that of its class; None where there are neither.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If weights are not one finite number per row, at least 0, and not all of them 0.
    """
    if sample_weight is None and class_weight is None:
        return None
    rows = y.shape[0]
    weight = np.ones(rows) if sample_weight is None else np.asarray(sample_weight, np.float64)
    weight = as_row_weights(weight, name, rows)
    if class_weight is not None:
        of_class = compute_sample_weight(class_weight, y.toarray() if hasattr(y, "toarray") else y)
        if not np.all((of_class >= 0) & (of_class < np.inf)):
            raise ValueError(f"class_weight must hold finite numbers that are not negative, got {class_weight!r:.80}")
        weight = weight * of_class
    if not weight.any():
        raise ValueError(f"the weights of all rows are zero: {name} must have at least one that is not")
    return weight


def without_zeros(X: Any, codes: Array, weight: Array | None) -> tuple[Any, Array, Array | None]:
    """Leave out rows that count nothing: weights that are whole numbers mean the same as repeated rows."""
    if weight is None or weight.all():
        return X, codes, weight
    kept = np.flatnonzero(weight)
    return X[kept], codes[kept], weight[kept]
