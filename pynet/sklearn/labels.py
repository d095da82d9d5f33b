"""Classes to be predicted, between a user's labels and the columns of a network."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from ..arrays import Array
from ..criteria import BCEWithLogitsLoss, CrossEntropyLoss
from ..criterion import Criterion
from ..data import one_hot
from ..errors import ShapeError
from .outputs import DISTRIBUTIONS, count


class Labels:
    """Classes: one column each, a single one for two, or one for each of several labels that a row may have.

    Parameters
    ----------
    classes : array (classes,)
        In sorted order.
    multilabel : bool
        Whether a row may have several, and targets are rows of 0 and 1.
    """

    def __init__(self, classes: Array, multilabel: bool) -> None:
        self.classes, self.multilabel = classes, multilabel

    @property
    def scale(self) -> float:
        """What the default criterion is, as a multiple of scikit-learn's loss, which adds the labels' up."""
        return 1 / len(self.classes) if self.multilabel else 1.0

    @classmethod
    def learn(cls, y: Any) -> Labels:
        """Return the classes of targets.

        Raises
        ------
        ValueError
            If they are amounts, or several columns of classes.
        """
        if y.ndim == 1 and y.dtype.kind in "biuSU":
            classes = np.unique(y)
            if 2 * len(classes) <= len(y):  # type_of_target, which takes ten times as long, would warn of more
                return cls(classes, False)
        kind = type_of_target(y, input_name="y")
        if kind == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), True)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y has several columns of classes, expected one, or columns of 0 and 1: "
                "sklearn.multioutput.MultiOutputClassifier trains a classifier for each"
            )
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"Unknown label type: {kind}. A classifier learns classes: amounts are for a regressor")
        return cls(np.unique(column_or_1d(y, warn=True)), False)

    @classmethod
    def given(cls, classes: Any, y: Any) -> Labels:
        """Return classes that are known before all targets are."""
        return cls.learn(y) if cls.is_multilabel(y) else cls(np.unique(classes), False)

    def require_same(self, y: Any, classes: Any, partial: bool) -> None:
        """Accept targets to go on with: of no other classes than those known, nor, for a whole fit, of fewer.

        Raises
        ------
        ValueError
            If they are others.
        """
        if partial and classes is None:
            return  # some of them, which `encode` looks at
        found = Labels.learn(y) if classes is None else Labels.given(classes, y)
        if not np.array_equal(found.classes, self.classes):
            what = "classes of partial_fit" if partial else "with warm_start the classes of y"
            known, got = self.classes.tolist(), found.classes.tolist()
            raise ValueError(f"{what} must be those of before, {known!s:.200}, got {got!s:.200}")

    @staticmethod
    def is_multilabel(y: Any) -> bool:
        """Whether targets are rows of 0 and 1."""
        return getattr(y, "ndim", 2) == 2 and bool(type_of_target(y) == "multilabel-indicator")

    def columns(self, criterion: Any) -> int:
        """Return how many outputs a network needs with a criterion, or with the default one for None.

        Raises
        ------
        ValueError
            If the criterion is for other targets.
        """
        if self.multilabel and isinstance(criterion, DISTRIBUTIONS):
            text = f"criterion {type(criterion).__name__} finds one class for each row, y has several labels"
            raise ValueError(f"{text}: use BCEWithLogitsLoss")
        if getattr(criterion, "log_target", False):
            raise ValueError(f"criterion {criterion!r} takes logarithms, classes are columns of 0 and 1 to it")
        by_class = isinstance(criterion, DISTRIBUTIONS) or getattr(criterion, "takes_labels", False)
        return 1 if len(self.classes) == 2 and not self.multilabel and not by_class else len(self.classes)

    def require_columns(self, criterion: Any, outputs: Array, predictions: Array) -> None:
        """Raise ShapeError unless there is a prediction for each class, or a single one for two."""
        classes = len(self.classes)
        single = classes == 2 and not self.multilabel and not isinstance(criterion, DISTRIBUTIONS)
        if predictions.ndim == 2 and predictions.shape[1] in ((1, 2) if single else (classes,)):
            return
        found = f"the module has {count(outputs.shape[1], 'output')}"
        if predictions.shape != outputs.shape:
            found += f", of which out_activation makes shape {predictions.shape}"
        of_what = "labels" if self.multilabel else f"classes {self.classes.tolist()}"
        raise ShapeError(f"{found}, expected {'1 or 2' if single else classes} for {classes} {of_what}"[:500])

    def criterion(self, columns: int) -> Criterion:
        """Return the default criterion for a network of so many outputs."""
        if self.multilabel or (columns == 1 and len(self.classes) == 2):
            return BCEWithLogitsLoss()
        return CrossEntropyLoss()

    def encode(self, y: Any) -> Array:
        """Return positions among the classes, (N,), or rows of 0 and 1.

        Raises
        ------
        ValueError
            If there is a class that is unknown, or another number of labels.
        """
        if self.multilabel:
            rows = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
            if rows.ndim != 2 or rows.shape[1] != len(self.classes):
                raise ValueError(f"y has shape {rows.shape}, expected (rows, {len(self.classes)}): a column per label")
            return rows.astype(np.int64)
        labels = y if y.ndim == 1 else column_or_1d(y)
        codes: Array = np.searchsorted(self.classes, labels).clip(max=len(self.classes) - 1)
        wrong = self.classes[codes] != labels
        if wrong.any():
            strangers = np.unique(labels[wrong]).tolist()[:10]
            raise ValueError(f"y has the classes {strangers}, which are not in {self.classes.tolist()}")
        return codes

    def target(self, codes: Array, criterion: Any, columns: int, dtype: Any) -> Array:
        """Return codes as a criterion takes them: labels, or else columns of 0 and 1."""
        if self.multilabel or columns == 1 != len(self.classes):
            return codes.reshape(len(codes), -1).astype(dtype)
        return codes if getattr(criterion, "takes_labels", False) else one_hot(codes, columns, dtype)

    def predict(self, predictions: Array) -> Array:
        """Return the codes of the likeliest classes."""
        if self.multilabel:
            return (predictions > 0.5).astype(np.int64)
        if predictions.shape[1] == 1 != len(self.classes):
            return (predictions[:, 0] > 0.5).astype(np.int64)
        best: Array = predictions.argmax(axis=1)
        return best

    def probabilities(self, predictions: Array, apart: bool) -> Array:
        """Return a column for each class or label; of classes that were learned apart, each one's share of all."""
        if self.multilabel or predictions.shape[1] != len(self.classes):
            return predictions if self.multilabel else np.hstack([1 - predictions, predictions])
        if not apart:
            return predictions
        sums, equal = predictions.sum(axis=1, keepdims=True), np.full_like(predictions, 1 / len(self.classes))
        shares: Array = np.divide(predictions, sums, out=equal, where=sums > 0)
        return shares

    def decode(self, predictions: Array) -> Array:
        """Return classes, or rows of 0 and 1, as the user has them."""
        codes = self.predict(predictions)
        return codes if self.multilabel else self.classes[codes]

    def score(self, predictions: Array, codes: Array, criterion: Any) -> float:
        """Return the share of rows in which all is right."""
        right = (self.predict(predictions) == codes).reshape(len(codes), -1)
        return float(right.all(axis=1).mean())
