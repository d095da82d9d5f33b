"""The rows that a model is trained on or tried with, as it takes them, batch by batch."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_array, as_classes, as_input, as_row_weights
from ..checks import as_number
from ..data.batches import Rows
from ..data.loader import as_rows, require_same_rows
from ..errors import ShapeError
from ..protocol import is_ours
from ..roles import as_loss
from .sparse_rows import SparseRows, is_sparse


class Batch(NamedTuple):
    """Inputs, targets and, if rows have them, weights."""

    x: Array
    target: Array
    weight: Array | None


class Samples:
    """Inputs, targets and weights of equal length.

    They are converted to the dtype once; memory-mapped and sparse inputs stay as they are and are converted batch by
    batch.

    Attributes
    ----------
    first_outputs : array
        What the model returns for the first rows, in evaluation mode; empty until it is tried.
    """

    def __init__(
        self, X: npt.ArrayLike, y: npt.ArrayLike, dtype: np.dtype[Any] | None, names: tuple[str, str] = ("X", "y")
    ) -> None:
        name_X, name_y = names
        inputs: Any = SparseRows(X) if is_sparse(X) else as_rows(as_array(X, name_X), name_X)
        y = as_rows(as_array(y, name_y), name_y)
        require_same_rows(**{name_X: inputs, name_y: y})
        if not len(inputs):
            raise ValueError(f"{name_X} has no rows")
        self._dtype, self._name_y = dtype, name_y
        self.X = inputs if _is_converted_in_batches(inputs) else as_input(inputs, name_X, dtype)
        self.y = y if is_mapped(y) else as_classes(y, self._target_dtype)
        self._axes_of_y = y.ndim  # as given
        self.weight: Array | None = None
        self.first_outputs: Array = np.empty(0)

    @property
    def _target_dtype(self) -> np.dtype[Any]:
        return self._dtype or as_input(self.X[:1], "X").dtype

    def set_weight(self, weight: Array | None, rows: Array | None, purpose: str = "train on") -> None:
        """Set what each row counts, in units of their mean over some rows, or all."""
        if weight is not None:
            weight = weight / max(weight.max(), 1.0)  # so that the mean of large ones is not infinite
            mean = float(np.mean(weight if rows is None else weight[rows]))
            if not mean:
                raise ValueError(f"the weights of the rows to {purpose} must not all be 0")
            self.weight = (weight / mean).astype(self._target_dtype)

    def __len__(self) -> int:
        return len(self.X)

    @property
    def lies_in_memory(self) -> bool:
        """Whether all of it is there as the model takes it."""
        return not _is_converted_in_batches(self.X) and not is_mapped(self.y)

    def require_fit(self, criterion: Any, output: Array) -> None:
        """Raise now what a criterion of ours would say of the targets, given the model's output of the first rows."""
        if not is_ours(type(criterion)):
            return
        if criterion.takes_labels and output.ndim == 2 and self.y.ndim == 1 and not is_mapped(self.y):
            self._require_classes(output.shape[1], getattr(criterion, "ignore_index", -1))
        try:
            as_loss(copy.deepcopy(criterion).forward(output, self.batch(slice(0, len(output))).target))
        except (ShapeError, TypeError):
            raise
        except ValueError:
            pass  # of these rows alone, as when all of them are ignored

    def _require_classes(self, classes: int, ignored: int) -> None:
        wrong = np.flatnonzero((self.y < 0) | (self.y >= classes))
        wrong = wrong[self.y[wrong] != ignored]
        if self.y.dtype.kind != "f" and wrong.size:
            label = self.y[wrong[0]]
            raise ValueError(f"{self._name_y} has label {label} in row {wrong[0]}, expected 0 to {classes - 1}")

    def use_columns(self) -> None:
        """Make targets ``(n,)`` those of a single output column, ``(n, 1)``, and numbers if they are labels."""
        if self.y.ndim == 1:
            self.y = self.y[:, None] if is_mapped(self.y) else self.y.astype(self._target_dtype)[:, None]

    def batch(self, rows: Rows) -> Batch:
        """Return some rows; a view of them for a slice."""
        weight = None if self.weight is None else self.weight[rows]
        return Batch(self.inputs(rows), as_classes(self.y[rows], self._target_dtype), weight)

    def inputs(self, rows: Rows) -> Array:
        """Return the inputs of some rows."""
        return as_input(self.X[rows], "X", self._dtype)

    def not_finite(self, rows: Rows) -> str:
        """Return where the first number of some rows that is not finite stands in X, or else in y; '' if all are."""
        x, target, _ = self.batch(rows)
        numbers = np.arange(len(self))[rows]
        return _not_finite("X", x, numbers, x.ndim) or _not_finite(self._name_y, target, numbers, self._axes_of_y)


def _not_finite(name: str, array: Array, rows: Array, axes: int) -> str:
    wrong = np.argwhere(~np.isfinite(array))
    if not wrong.size:
        return ""
    value = array[tuple(wrong[0])]
    place = [int(rows[wrong[0][0]]), *wrong[0][1:axes].tolist()]
    # A large number may have become infinite on its way into a smaller dtype.
    shown = f"{value}" if np.isnan(value) else f"{value} in {array.dtype}"
    return f"{name}{place} is {shown} ({len(wrong)} of {array.size} numbers in this batch of {name} not finite)"


def _is_converted_in_batches(inputs: object) -> bool:
    return isinstance(inputs, SparseRows) or is_mapped(inputs)


def is_mapped(array: object) -> bool:
    """Whether an array, or what it is a view of, lies in a file."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return False


def row_weights(
    target: Array, sample_weight: npt.ArrayLike | None, class_weight: dict[Any, float] | str | None
) -> Array | None:
    """Return one weight per row, sample weights times class weights; None where there are neither.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If weights are not one finite number per row, at least 0; if classes are not those of the target.
    """
    weights = np.ones(len(target))
    if sample_weight is not None:
        weights = as_row_weights(sample_weight, "sample_weight", len(target), np.dtype(np.float64))
    if class_weight is not None:
        weights = weights * _weights_of_classes(target, class_weight)
    if sample_weight is None and class_weight is None:
        return None
    return weights


def _weights_of_classes(target: Array, class_weight: dict[Any, float] | str) -> Array:
    labels = target.argmax(axis=1) if target.ndim == 2 and target.shape[1] > 1 else target.reshape(-1)
    names, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if isinstance(class_weight, str) and class_weight == "balanced":
        return np.asarray(len(labels) / (len(names) * counts))[which]
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight must be 'balanced' or a dict of label: weight, got {class_weight!r:.80}")
    unknown = [label for label in class_weight if label not in names]
    if unknown:
        raise ValueError(f"class_weight has the label {unknown[0]!r}, which is not in y: {names.tolist()[:20]}")
    given = {label: as_number(weight, f"class_weight[{label!r}]") for label, weight in class_weight.items()}
    weights = np.array([given.get(name, 1.0) for name in names.tolist()])
    if not np.all((weights >= 0) & (weights < np.inf)):
        raise ValueError(f"class_weight must hold finite numbers that are not negative, got {class_weight}")
    return weights[which]
