"""Tables of text: CSV files, column by column."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from ..arrays import Array
from .failure import Failure

_MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "?"}


class Column(NamedTuple):
    """The cells of one column, stripped of spaces around them, and which of them say that there is nothing."""

    name: str
    cells: list[str]
    missing: Array
    lines: list[int]  # the header's row in the file, and each cell's

    def numbers(self) -> Array | None:
        """Return the cells as numbers, NaN where they are missing; None if one of them is no number.

        Raises
        ------
        Failure
            If a few cells are no numbers where all others are, or one is infinite.
        """
        filled = ["nan" if gone else cell for cell, gone in zip(self.cells, self.missing, strict=True)]
        try:
            values = np.array(filled).astype(np.float64)
        except ValueError:
            wrong = self.not_numbers()
            if len(filled) >= 20 and len(wrong) <= len(filled) / 20:
                raise Failure(
                    f"{self.place(wrong[0])}: {self.cells[wrong[0]]!r} is no number, as nearly all others are"
                ) from None
            return None
        infinite = np.flatnonzero(np.isinf(values))
        if infinite.size:
            raise Failure(f"{self.place(infinite[0])}: {self.cells[infinite[0]]!r} is not finite")
        return values

    def not_numbers(self) -> list[int]:
        """Return the rows of the cells that are there and are no numbers."""
        cells = zip(self.cells, self.missing, strict=True)
        return [row for row, (cell, gone) in enumerate(cells) if not gone and not _is_number(cell)]

    def place(self, row: int) -> str:
        """Return where a cell is, in the words of a spreadsheet."""
        return f"{_row(self.lines[0], self.lines[1 + row])}, column {self.name!r}"

    def require_complete(self, hint: str) -> None:
        """Raise Failure if a cell is missing."""
        if self.missing.any():
            row = int(self.missing.argmax())
            raise Failure(f"{self.place(row)}: the cell is missing ({self.cells[row]!r}){hint}")


class Table(NamedTuple):
    """Columns by name, all of one length."""

    columns: dict[str, Column]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(next(iter(self.columns.values())).cells)

    def column(self, name: str) -> Column:
        """Return a column.

        Raises
        ------
        Failure
            If there is none of that name.
        """
        if name not in self.columns:
            raise Failure(f"there is no column {name!r}; there are {some(list(self.columns))}")
        return self.columns[name]


def read_table(path: Path) -> Table:
    """Read a CSV file with a header; commas, semicolons or tabs separate the cells, whichever part two rows alike.

    Raises
    ------
    Failure
        If the file cannot be read, has no rows, or rows of different lengths.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            delimiter = _delimiter(file)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
            numbered = [(line, row) for line, row in enumerate(reader, 1) if row]
    except UnicodeDecodeError as error:
        raise Failure(f"{path} is not text in UTF-8: {error}") from None
    except (OSError, csv.Error) as error:
        raise Failure(f"{path} cannot be read: {error}") from None
    if len(numbered) < 2:
        raise Failure(f"{path} has no rows below a header")
    lines = [line for line, _ in numbered]
    header, *rows = [[cell.strip() for cell in row] for _, row in numbered]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise Failure(f"{path}: two columns are called {twice!r}")
    for line, row in zip(lines[1:], rows, strict=True):
        if len(row) != len(header):
            separated = f"has {counted(len(row), 'cell')} separated by {delimiter!r}, expected {len(header)}"
            raise Failure(f"{path}: {_row(lines[0], line)} {separated}")
    columns = map(list, zip(*rows, strict=True))
    return Table({name: _column(name, cells, lines) for name, cells in zip(header, columns, strict=True)})


def _column(name: str, cells: list[str], lines: list[int]) -> Column:
    return Column(name, cells, np.array([cell.casefold() in _MISSING for cell in cells]), lines)


def _row(header: int, line: int) -> str:
    """Return which row it is as a spreadsheet counts them, empty ones included."""
    return f"row {line} (the header is row {header})"


def _delimiter(file: TextIO) -> str:
    """Return the mark that parts the first two rows into equally many cells, or else the first one that parts one."""
    head = list(itertools.islice((line for line in file if line.strip()), 2))
    cells = {mark: [len(row) for row in csv.reader(head, delimiter=mark)] for mark in (",", ";", "\t")}
    parting = [mark for mark, counts in cells.items() if max(counts, default=0) > 1]
    return next((mark for mark in parting if len(set(cells[mark])) == 1), next(iter(parting), ","))


def some(names: list[Any], shown: Callable[[Any], str] = repr) -> str:
    """Return the first names of a list."""
    return ", ".join(map(shown, names[:10])) + (f", ... ({len(names):,} in all)" if len(names) > 10 else "")


def counted(number: int, thing: str) -> str:
    """Return how many things there are: 1 row, 2 rows."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
