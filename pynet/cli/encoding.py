"""What is learned about data before a network sees them, kept in its file: how inputs and targets become numbers.

Of inputs, numbers are standardised and texts become one-hot columns; of targets, classes become labels and amounts are
standardised. Means and categories are those of the rows that the network is trained on. Each class here can be written
as plain data and read again, and `encode` does to later data what was done to the first.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array
from .failure import Failure
from .sources import Source
from .table import Column, Table, some

_MOST_CATEGORIES = 1000
_NUMBER = re.compile(r"[-+]?\W?\d[\d., '\u00a0]*\s?\W?")  # as people write it
_AS_NUMBERS = "write numbers as 1234.5, without % and signs of money"
# What there is to do about missing inputs, before there is a model and once there is one.
_TO_TRAIN = "; --missing mean puts the column's mean there"
_TO_USE = ", and none was in training: 'pynet train --missing mean' makes a model that takes such rows"


class Numbers(NamedTuple):
    """A column of numbers: ``(x - mean) / scale``; a missing one is the mean."""

    name: str
    mean: float
    scale: float

    @classmethod
    def learn(cls, column: Column, values: Array, rows: Array) -> Numbers:
        """Take mean and standard deviation of some rows."""
        known = values[rows][~np.isnan(values[rows])]
        if not known.size:
            raise Failure(f"column {column.name!r} has no numbers at all to train on: leave it out with --drop")
        mean, scale = _mean_and_scale(known[:, None], f"column {column.name!r}")
        return cls(column.name, mean[0], scale[0])

    @property
    def names(self) -> list[str]:
        """The name of the one feature."""
        return [self.name]

    def encode(self, column: Column) -> Array:
        """Return one column of features."""
        values = column.numbers()
        if values is None:
            wrong = column.not_numbers()[0]
            raise Failure(f"{column.place(wrong)}: {column.cells[wrong]!r} is no number, as it was in training")
        return np.nan_to_num((values - self.mean) / self.scale, nan=0.0)[:, None]


class Texts(NamedTuple):
    """A column of texts: one feature per category; of a missing one, how often each category is."""

    name: str
    categories: list[str]
    shares: list[float]

    @classmethod
    def learn(cls, column: Column, rows: Array) -> Texts:
        """Take the categories of all rows, so that none is unknown, and their shares in some."""
        categories = sorted({cell for cell, gone in zip(column.cells, column.missing, strict=True) if not gone})
        if len(categories) > _MOST_CATEGORIES:
            raise Failure(
                f"column {column.name!r} has {len(categories)} different texts, at most {_MOST_CATEGORIES} can be "
                f"told apart: leave it out with --drop {column.name!r}"
            )
        counts = np.array([sum(column.cells[row] == name for row in rows) for name in categories], float)
        return cls(column.name, categories, (counts / max(counts.sum(), 1)).tolist())

    @property
    def names(self) -> list[str]:
        """The names of the features."""
        return [f"{self.name}={category}" for category in self.categories]

    def doubt(self, rows: int) -> str:
        """Return why a column of so many rows is hardly one of categories; empty if it may be."""
        texts = f"column {self.name!r} is {len(self.categories)} different texts, such as {self.categories[-1]!r}"
        if _are_like_numbers(self.categories):
            return f"{texts}: {_AS_NUMBERS}"
        if _hardly_categories(len(self.categories), rows):
            return f"{texts}: rows with others cannot be predicted for. --drop {self.name!r} leaves it out"
        return ""

    def encode(self, column: Column) -> Array:
        """Return a column of features per category."""
        places = {category: place for place, category in enumerate(self.categories)}
        features = np.zeros((len(column.cells), len(self.categories)))
        for row, cell in enumerate(column.cells):
            if column.missing[row]:
                features[row] = self.shares
            elif cell in places:
                features[row, places[cell]] = 1
            else:
                raise Failure(f"{column.place(row)}: {cell!r} is not one of those in training: {some(self.categories)}")
        return features


class TableInputs(NamedTuple):
    """The columns of a table."""

    columns: list[Numbers | Texts]
    fill: bool  # whether missing cells are allowed

    @classmethod
    def learn(cls, table: Table, rows: Array, fill: bool) -> TableInputs:
        """Find out which columns are numbers, and learn each."""
        return cls([_learn_column(column, rows, fill) for column in table.columns.values()], fill)

    @property
    def names(self) -> list[str]:
        """The names of the features."""
        return [name for column in self.columns for name in column.names]

    @property
    def text(self) -> str:
        """The columns, and which of them are texts."""
        kinds = [f"{c.name} ({len(c.categories)} texts)" if isinstance(c, Texts) else c.name for c in self.columns]
        return some(kinds, str)

    def doubts(self, rows: int) -> list[str]:
        """Return which columns of a table of so many rows will hardly do, and why."""
        found = [column.doubt(rows) for column in self.columns if isinstance(column, Texts)]
        return [doubt for doubt in found if doubt]

    def encode(self, table: Any, dtype: str) -> Array:
        """Return features, one row per row."""
        if not isinstance(table, Table):
            raise Failure("the model was trained on a table: DATA must be a .csv file with its columns")
        parts = []
        for learned in self.columns:
            column = table.column(learned.name)
            if not self.fill:
                column.require_complete(_TO_USE)
            parts.append(learned.encode(column))
        return np.hstack(parts).astype(dtype)

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"fill": self.fill, "columns": [column._asdict() for column in self.columns]}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> TableInputs:
        """Read what `to_plain` returned."""
        columns = [Texts(**c) if "categories" in c else Numbers(**c) for c in plain["columns"]]
        return cls(columns, plain["fill"])


def _learn_column(column: Column, rows: Array, fill: bool) -> Numbers | Texts:
    if not fill:
        column.require_complete(_TO_TRAIN)
    values = column.numbers()
    return Texts.learn(column, rows) if values is None else Numbers.learn(column, values, rows)


class ArrayInputs(NamedTuple):
    """Arrays of numbers, one row per sample, made flat: ``(x - mean) / scale``."""

    shape: list[int]  # of one sample
    mean: list[float]  # one per feature, or a single one for all
    scale: list[float]
    fill: bool

    @classmethod
    def learn(cls, X: Array, rows: Array, scale: float | None, fill: bool) -> ArrayInputs:
        """Take mean and standard deviation of some rows, unless there is a scale for all."""
        if scale is not None:
            return cls(list(X.shape[1:]), [0.0], [scale], fill)
        mean, deviation = _mean_and_scale(_flat(X, fill, _TO_TRAIN)[rows], "X")
        return cls(list(X.shape[1:]), mean, deviation, fill)

    @property
    def names(self) -> list[str]:
        """The names of the features: their numbers."""
        return [f"x{number}" for number in range(int(np.prod(self.shape)))]

    @property
    def text(self) -> str:
        """What a sample is."""
        return f"arrays of shape {tuple(self.shape)}"

    def doubts(self, rows: int) -> list[str]:
        """Return nothing: any numbers will do."""
        return []

    def encode(self, X: Any, dtype: str) -> Array:
        """Return features, one row per row."""
        if isinstance(X, Table):
            raise Failure("the model was trained on arrays: DATA must not be a .csv file")
        if list(X.shape[1:]) != self.shape:
            raise Failure(f"X has rows of shape {tuple(X.shape[1:])}, the model was trained on {tuple(self.shape)}")
        if X.dtype == np.uint8:  # images: nothing can be missing, and float64 would be eight times as large
            images: Array = X.reshape(len(X), -1).astype(dtype)
            images -= np.array(self.mean, dtype)
            images /= np.array(self.scale, dtype)
            return images
        flat = (_flat(X, self.fill, _TO_USE) - self.mean) / self.scale
        return np.nan_to_num(flat, nan=0.0).astype(dtype)

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return self._asdict()

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> ArrayInputs:
        """Read what `to_plain` returned."""
        return cls(**plain)


def _mean_and_scale(values: Array, name: str) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of every column, NaN left out; of a constant column 1."""
    counts = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.nansum(values, axis=0) / counts
        deviation = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / counts)
    if not np.all(np.isfinite(mean) & np.isfinite(deviation)):
        raise Failure(f"{name} has numbers too large to take their mean and deviation")
    # Rounding makes the deviation of a constant column tiny, not 0; of what is missing altogether it is 0.
    varies = np.fmax.reduce(values, axis=0) - np.fmin.reduce(values, axis=0) > 0
    return mean.tolist(), np.where(varies, deviation, 1).tolist()


def _flat(X: Array, fill: bool, hint: str) -> Array:
    flat = X.reshape(len(X), -1).astype(np.float64)
    wrong = np.argwhere(np.isinf(flat) if fill else ~np.isfinite(flat))
    if wrong.size:
        row, column = wrong[0]
        hint = "" if np.isinf(flat[row, column]) else hint
        raise Failure(f"X has {flat[row, column]} in row {row}, column {column} (counted from 0){hint}")
    return flat


class Classes(NamedTuple):
    """Targets that are classes, by their names."""

    name: str
    classes: list[Any]  # texts or whole numbers, sorted

    @classmethod
    def learn(cls, source: Source) -> Classes:
        """Take the classes of all rows."""
        found = np.unique(_complete(source))
        if found.dtype.kind == "f" and np.all(found == np.floor(found)):
            found = found.astype(np.int64)
        if len(found) < 2:
            raise Failure(f"target {source.target_name!r} has one class only, {found.tolist()[0]!r}")
        if len(found) > _MOST_CATEGORIES:
            raise Failure(
                f"target {source.target_name!r} has {len(found)} different values, which are hardly classes: "
                "--task regression takes them for amounts"
            )
        return cls(source.target_name, found.tolist())

    @property
    def outputs(self) -> int:
        """How many outputs a network needs."""
        return len(self.classes)

    def encode(self, source: Source, dtype: str) -> Array:
        """Return labels."""
        target = _complete(source)
        known = np.array(self.classes)
        if known.dtype.kind == "U" and target.dtype.kind != "U" and source.target_column is not None:
            target = np.array(source.target_column.cells)  # that all of them look like numbers is chance
        if target.dtype.kind != known.dtype.kind and "U" in (target.dtype.kind, known.dtype.kind):
            target, known = target.astype(str), known.astype(str)
        order = np.argsort(known, kind="stable")
        places = np.minimum(np.searchsorted(known[order], target), len(known) - 1)
        labels = order[places]
        wrong = np.flatnonzero(known[labels] != target)
        if wrong.size:
            value = target[wrong[0]].item()
            raise Failure(f"target {self.name!r} has {value!r}, which is no class of the model: {some(self.classes)}")
        return labels.astype(np.int64)

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"task": "classification", **self._asdict()}


class Amounts(NamedTuple):
    """Targets that are amounts: ``(y - mean) / scale`` per column."""

    name: str
    shape: list[int]  # of one row's target: [] for one number
    mean: list[float]
    scale: list[float]

    @classmethod
    def learn(cls, source: Source, rows: Array) -> Amounts:
        """Take mean and standard deviation of some rows."""
        y = _complete(source)
        if y.dtype.kind == "U":
            raise Failure(f"target {source.target_name!r} is text such as {str(y[0])!r}, which is no amount")
        flat = y.reshape(len(y), -1)[rows].astype(np.float64)
        return cls(source.target_name, list(y.shape[1:]), *_mean_and_scale(flat, f"target {source.target_name!r}"))

    @property
    def outputs(self) -> int:
        """How many outputs a network needs."""
        return len(self.mean)

    @property
    def names(self) -> list[str]:
        """What each output is called."""
        return [self.name] if self.outputs == 1 else [f"{self.name}{number}" for number in range(self.outputs)]

    def encode(self, source: Source, dtype: str) -> Array:
        """Return standardised amounts, one row per row."""
        y = _complete(source)
        if y.dtype.kind == "U" or list(y.shape[1:]) != self.shape:
            raise Failure(f"target {self.name!r} is not what it was in training: {len(self.mean)} amounts per row")
        return ((y.reshape(len(y), -1).astype(np.float64) - self.mean) / self.scale).astype(dtype)

    def decode(self, output: Array) -> Array:
        """Return amounts in their own units."""
        return output.astype(np.float64) * self.scale + self.mean

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"task": "regression", **self._asdict()}


class Encoding(NamedTuple):
    """What was learned about inputs and targets."""

    inputs: TableInputs | ArrayInputs
    target: Classes | Amounts

    @property
    def task(self) -> str:
        """Classification or regression."""
        return "classification" if isinstance(self.target, Classes) else "regression"

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"inputs": self.inputs.to_plain(), "target": self.target.to_plain()}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Encoding:
        """Read what `to_plain` returned."""
        inputs = (TableInputs if "columns" in plain["inputs"] else ArrayInputs).from_plain(plain["inputs"])
        target = dict(plain["target"])
        return cls(inputs, (Classes if target.pop("task") == "classification" else Amounts)(**target))


def learn(source: Source, rows: Array, task: str, fill: bool) -> Encoding:
    """Learn from some rows of a source how it is to be encoded."""
    if isinstance(source.inputs, Table):
        inputs: TableInputs | ArrayInputs = TableInputs.learn(source.inputs, rows, fill)
    else:
        inputs = ArrayInputs.learn(source.inputs, rows, source.scale, fill)
    return Encoding(inputs, Classes.learn(source) if task == "classification" else Amounts.learn(source, rows))


def guess_task(source: Source) -> tuple[str, str]:
    """Return what a target seems to be, and why if it could be the other; texts are classes, fractions amounts."""
    y = _complete(source)
    if y.dtype.kind == "U" and _hardly_categories(len(np.unique(y)), len(y)):
        hint = f"{_AS_NUMBERS}; " if _are_like_numbers(y.tolist()) else ""
        raise Failure(
            f"target {source.target_name!r} is {len(np.unique(y))} different texts in {len(y)} rows, such as "
            f"{str(y[-1])!r}: {hint}if they are classes all the same, --task classification says so"
        )
    if y.dtype.kind in "Ub":
        return "classification", ""
    if y.ndim > 1 or (y.dtype.kind == "f" and np.any(y != np.floor(y))):
        return "regression", ""
    values = len(np.unique(y))
    if y.dtype.kind in "iu" and not isinstance(source.inputs, Table):
        return "classification", ""
    if values <= 20:
        return "classification", f"{source.target_name!r} has {values} whole values; --task regression if amounts"
    return "regression", f"{source.target_name!r} has {values} whole values; --task classification if classes"


def _hardly_categories(texts: int, rows: int) -> bool:
    return texts > max(20, rows / 2)


def _are_like_numbers(texts: list[str]) -> bool:
    return sum(_NUMBER.fullmatch(text) is not None for text in texts) > len(texts) / 2


def _complete(source: Source) -> Array:
    assert source.target is not None  # a source to predict from is asked for its inputs alone
    missing, column = source.target_missing, source.target_column
    if missing is not None and missing.any():
        row = int(missing.argmax())
        if column is None:
            raise Failure(f"row {row} (counted from 0), column {source.target_name!r}: the target is missing")
        cell = column.cells[row]
        hint = f"; a class cannot be called {cell!r}, which stands for nothing" if cell else ""
        raise Failure(f"{column.place(row)}: the target is missing ({cell!r}): leave such rows out{hint}")
    return source.target
