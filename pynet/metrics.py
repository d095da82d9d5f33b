"""Metrics: what predictions are worth, batch by batch or at once."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .arrays import Array, are_whole, as_array
from .checks import as_items, as_size
from .errors import ShapeError

__all__ = [
    "R2",
    "Accuracy",
    "MeanAbsoluteError",
    "Metric",
    "TopK",
    "accuracy",
    "confusion_matrix",
    "mean_absolute_error",
    "r2_score",
    "top_k_accuracy",
]


class Metric:
    """Base of all metrics: takes batch after batch, and keeps a few numbers of them, not the batches.

    A subclass defines ``name``, ``reset()``, ``update(output, target)`` and ``result() -> float``. What was not given a
    row yet is NaN.
    """

    name: str = "metric"

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError(f"{type(self).__name__} must define reset()")

    def update(self, output: Array, target: Array) -> None:
        """Take a batch into account."""
        raise NotImplementedError(f"{type(self).__name__} must define update(output, target)")

    def result(self) -> float:
        """Return the figure over all batches since `reset`."""
        raise NotImplementedError(f"{type(self).__name__} must define result()")

    def of(self, output: npt.ArrayLike, target: npt.ArrayLike) -> float:
        """Return the figure of one batch, as if there were no other."""
        alone = copy.deepcopy(self)
        alone.reset()
        alone.update(as_array(output, "output"), as_array(target, "target"))
        return alone.result()


class _Mean(Metric):
    """A metric that is a mean: a sum, and what it is divided by."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self._sum, self._count = 0.0, 0

    def result(self) -> float:
        """Return the mean; NaN if there is nothing to take it of."""
        return self._sum / self._count if self._count else float("nan")

    def update(self, output: Array, target: Array) -> None:
        """Take a batch into account."""
        values = self._values(as_array(output, "output"), as_array(target, "target"))
        self._sum += float(np.sum(values, dtype=np.float64))
        self._count += values.size

    def _values(self, output: Array, target: Array) -> Array:
        raise NotImplementedError


class Accuracy(_Mean):
    """The share of rows whose largest output is the right class.

    Output ``(N, ..., classes)``, target labels ``(N, ...)`` or one-hot rows. One column of outputs is taken as
    probabilities of class 1: above 0.5 it is that.
    """

    name = "accuracy"

    def _values(self, output: Array, target: Array) -> Array:
        labels = as_labels(output, target)
        predicted = (output[..., 0] > 0.5).astype(np.int64) if output.shape[-1] == 1 else output.argmax(axis=-1)
        right: Array = np.equal(predicted, labels)
        return right


class TopK(_Mean):
    """The share of rows whose right class is among the k largest outputs; ties count in the row's favour.

    Raises
    ------
    TypeError, ValueError
        If k is no int, or less than 1.
    """

    def __init__(self, k: int = 5) -> None:
        super().__init__()
        self.k = as_size(k, "k", smallest=1)
        self.name = f"top_{self.k}_accuracy"

    def _values(self, output: Array, target: Array) -> Array:
        labels = as_labels(output, target)
        _require_classes(labels, output.shape[-1])
        own = np.take_along_axis(output, labels[..., None], axis=-1)
        right: Array = np.sum(output > own, axis=-1) < np.where(np.isnan(own[..., 0]), 0, self.k)
        return right


class MeanAbsoluteError(_Mean):
    """``mean(|output - target|)`` over all elements."""

    name = "mae"

    def _values(self, output: Array, target: Array) -> Array:
        errors: Array = np.abs(output - _same_shape(output, target))
        return errors


class R2(Metric):
    """``1 - Σ (target - output)² / Σ (target - mean)²`` per column, averaged over the columns.

    1 is perfect, 0 as good as the mean, below 0 worse. A column of one single value has 1 if it is met and else 0, as
    in scikit-learn. The sums are taken in double, each batch about its own mean: Chan, Golub, LeVeque, "Algorithms for
    computing the sample variance", The American Statistician 37, 1983.
    """

    name = "r2"

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self._rows = 0
        self._mean: Any = 0.0
        self._squares: Any = 0.0
        self._errors: Any = 0.0

    def update(self, output: Array, target: Array) -> None:
        """Take a batch into account."""
        output = as_array(output, "output")
        y = _same_shape(output, as_array(target, "target")).astype(np.float64).reshape(len(target), -1)
        rows, mean = len(y), y.mean(axis=0)
        total = self._rows + rows
        self._squares += ((y - mean) ** 2).sum(axis=0) + (mean - self._mean) ** 2 * (self._rows * rows / total)
        self._mean += (mean - self._mean) * (rows / total)
        self._errors += ((y - output.reshape(y.shape)) ** 2).sum(axis=0)
        self._rows = total

    def result(self) -> float:
        """Return the figure; NaN for fewer than two rows."""
        if self._rows < 2:
            return float("nan")
        constant = self._squares == 0
        ratio = self._errors / np.where(constant, 1, self._squares)
        return float(np.mean(np.where(constant, self._errors == 0, 1 - ratio)))


class _Function(_Mean):
    """A user's own function, averaged over the batches by their rows."""

    def __init__(self, function: Callable[[Array, Array], Any]) -> None:
        super().__init__()
        self._function = function
        self.name = str(getattr(function, "__name__", type(function).__name__))

    def __deepcopy__(self, memo: dict[int, Any]) -> _Function:
        return _Function(self._function)  # which may be a method of something that is not to be copied

    def update(self, output: Array, target: Array) -> None:
        self._sum += float(self._function(output, target)) * len(output)
        self._count += len(output)


MetricLike: TypeAlias = "str | Metric | Callable[[Array, Array], Any]"

_NAMED: dict[str, Callable[[], Metric]] = {"accuracy": Accuracy, "mae": MeanAbsoluteError, "r2": R2}


def as_metrics(metrics: Iterable[MetricLike] | MetricLike) -> list[Metric]:
    """Return metrics given by name (``accuracy``, ``top_5_accuracy``, ``mae``, ``r2``), object or function.

    Raises
    ------
    TypeError, ValueError
        If one is nothing of the kind, or two have one name.
    """
    given = [metrics] if isinstance(metrics, str | Metric) or callable(metrics) else as_items(metrics, "metrics")
    found = [_as_metric(metric) for metric in given]
    names = [metric.name for metric in found]
    if len(set(names)) < len(names):
        raise ValueError(f"metrics must have different names, got {names}")
    return found


def _as_metric(metric: MetricLike) -> Metric:
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, str):
        top = re.fullmatch(r"top_?(\d+)(_accuracy)?", metric)
        if top:
            return TopK(int(top[1]))
        if metric not in _NAMED:
            names = ", ".join(map(repr, [*_NAMED, "top_5_accuracy"]))
            raise ValueError(f"metric must be one of {names}, or a function of (output, target), got {metric!r}")
        return _NAMED[metric]()
    if isinstance(metric, type) or not callable(metric):
        hint = f": write {metric.__name__}()" if isinstance(metric, type) else ""
        raise TypeError(f"metric must be a name, a Metric or a function of (output, target), got {metric!r:.80}{hint}")
    return _Function(metric)


def accuracy(output: npt.ArrayLike, target: npt.ArrayLike) -> float:
    """Return the share of rows whose largest output is the right class: see `Accuracy`."""
    return Accuracy().of(output, target)


def top_k_accuracy(output: npt.ArrayLike, target: npt.ArrayLike, k: int = 5) -> float:
    """Return the share of rows whose right class is among the k largest outputs: see `TopK`."""
    return TopK(k).of(output, target)


def mean_absolute_error(output: npt.ArrayLike, target: npt.ArrayLike) -> float:
    """Return ``mean(|output - target|)`` over all elements."""
    return MeanAbsoluteError().of(output, target)


def r2_score(output: npt.ArrayLike, target: npt.ArrayLike) -> float:
    """Return how much of the targets' variance the outputs explain: see `R2`."""
    return R2().of(output, target)


def confusion_matrix(predicted: npt.ArrayLike, target: npt.ArrayLike, classes: int | None = None) -> Array:
    """Return how often each class, row by row, was taken for each class, column by column.

    Parameters
    ----------
    predicted : array (N,) of int, or (N, classes) of float
        Labels, or outputs whose largest is the label.
    target : array (N,) of int, or (N, classes)
        The right labels, or one-hot rows.
    classes : int, optional
        Number of classes; what the arrays show unless given.

    Returns
    -------
    array (classes, classes) of int64

    Raises
    ------
    ShapeError
        If the numbers of rows differ.
    ValueError
        If a label is negative or not less than ``classes``.
    """
    got, right = (_labels_of(as_array(a, n), n) for a, n in ((predicted, "predicted"), (target, "target")))
    if got.shape != right.shape:
        raise ShapeError(f"predicted has {len(got)} rows, expected {len(right)} as target")
    columns = [np.shape(array)[1] for array in (predicted, target) if np.ndim(array) == 2]
    largest = int(max(got.max(initial=-1), right.max(initial=-1)))
    size = (
        as_size(max([*columns, largest + 1]), "the largest label") if classes is None else as_size(classes, "classes")
    )
    if min(got.min(initial=0), right.min(initial=0)) < 0 or largest >= size:
        raise ValueError(f"labels must be from 0 to {size - 1}")
    return np.bincount(right * size + got, minlength=size * size).reshape(size, size)


def _labels_of(array: Array, name: str) -> Array:
    if array.ndim == 2 and array.shape[1] > 1:
        array = array.argmax(axis=1)
    elif array.ndim != 1 or array.dtype.kind not in "iu":
        raise ShapeError(f"{name} must be integer labels (N,) or rows (N, classes), got {array.dtype} {array.shape}")
    return array.astype(np.int64)


def as_labels(output: Array, target: Array) -> Array:
    """Return a target as labels, one for each row of the output: rows of probabilities become their largest class.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    """
    if output.ndim < 2:
        raise ShapeError(f"output has shape {output.shape}, expected (N, ..., classes)")
    if target.shape == output.shape and output.shape[-1] > 1:
        target = target.argmax(axis=-1)
    elif target.shape == (*output.shape[:-1], 1):
        target = target[..., 0]
    if target.shape != output.shape[:-1]:
        raise ShapeError(f"target has shape {target.shape}, expected {output.shape[:-1]} or {output.shape}")
    wrong = np.argwhere(~are_whole(target))
    if wrong.size:
        row = tuple(wrong[0])
        raise ValueError(f"target must hold whole numbers as labels, got {target[row]} in row {row[0]}")
    return target.astype(np.int64)


def _require_classes(labels: Array, classes: int) -> None:
    wrong = np.argwhere((labels < 0) | (labels >= classes))
    if wrong.size:
        row = tuple(wrong[0])
        raise ValueError(f"target has label {labels[row]} in row {row[0]}, expected 0 to {classes - 1}")


def _same_shape(output: Array, target: Array) -> Array:
    if output.shape != target.shape:
        hint = ": target[:, None] has it" if output.shape == (*target.shape, 1) else ""
        raise ShapeError(f"target has shape {target.shape}, expected {output.shape} as output{hint}")
    return target
