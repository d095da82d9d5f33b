"""What a network's outputs are worth, in the units and names of its data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import metrics
from ..arrays import Array
from ..compiled import compile_predict
from ..criteria import CrossEntropyLoss
from ..data.batches import batches
from .encoding import Amounts, Classes
from .table import counted

_ROWS_AT_ONCE = 1024
_MOST_SHOWN = 25  # classes in a table of text


class Scores(NamedTuple):
    """Figures by name, and what they were taken of: labels, or amounts in their units."""

    figures: dict[str, float]
    true: Array
    predicted: Array
    features: Array  # what the network was given

    @property
    def text(self) -> str:
        """The figures in one line."""
        rows = f" ({counted(len(self.true), 'row')})"
        return ", ".join(f"{name} {value:.4g}" for name, value in self.figures.items()) + rows


def outputs_of(model: Any, X: Array) -> Array:
    """Return a network's outputs in evaluation mode, computed batch by batch."""
    predict = compile_predict(model)
    return np.concatenate([predict(X[rows]) for rows in batches(len(X), _ROWS_AT_ONCE)])


def score(target: Classes | Amounts, model: Any, X: Array, y: Array) -> Scores:
    """Compare a network's outputs with encoded targets."""
    outputs = outputs_of(model, X)
    if isinstance(target, Classes):
        loss = float(CrossEntropyLoss()(outputs, y))
        predicted = outputs.argmax(axis=1)
        return Scores({"accuracy": metrics.accuracy(outputs, y), "loss": loss}, y, predicted, X)
    true, predicted = target.decode(y), target.decode(outputs)
    figures = {
        "r2": metrics.r2_score(predicted, true),
        "mae": metrics.mean_absolute_error(predicted, true),
        "rmse": float(np.sqrt(np.mean((predicted - true) ** 2))),
    }
    return Scores(figures, true, predicted, X)


def confusion_table(names: list[str], scores: Scores) -> str:
    """Return how often each class was taken for each, as a table of text; of many classes, what went wrong most."""
    counts = metrics.confusion_matrix(scores.predicted, scores.true, len(names))
    if len(names) > _MOST_SHOWN:
        return _most_confused(names, counts)
    shown = [name if len(name) <= 16 else name[:15] + "…" for name in names]
    width = max([len(str(counts.max())), *map(len, shown)]) + 2
    head = " " * width + "".join(f"{name:>{width}}" for name in shown)
    rows = [
        f"{name:>{width}}" + "".join(f"{count:>{width}}" for count in row)
        for name, row in zip(shown, counts.tolist(), strict=True)
    ]
    return "\n".join(["confusion matrix (rows: true, columns: predicted)", head, *rows])


def _most_confused(names: list[str], counts: Array) -> str:
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_SHOWN]
    pairs = [(int(wrong.flat[place]), *divmod(int(place), len(names))) for place in order if wrong.flat[place]]
    rows = [f"{count:>6}  {names[true]} taken for {names[predicted]}" for count, true, predicted in pairs]
    return "\n".join([f"confusion matrix of {len(names)} classes: the largest of what is wrong", *rows])
