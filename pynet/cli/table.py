"""Tables of text: CSV files, column by column."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from .failure import Failure

_MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "?"}


class Column(NamedTuple):
    """The cells of one column, stripped of spaces around them, and which of them say that there is nothing."""

    name: str
    cells: list[str]
    missing: Array

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
        return f"row {row + 2} (the header is row 1), column {self.name!r}"

    def require_complete(self) -> None:
        """Raise Failure if a cell is missing."""
        if self.missing.any():
            row = int(self.missing.argmax())
            raise Failure(
                f"{self.place(row)}: the cell is missing ({self.cells[row]!r}); "
                "--missing mean puts the column's mean there"
            )


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
            raise Failure(f"there is no column {name!r}; there are {', '.join(map(repr, self.columns))}")
        return self.columns[name]


def read_table(path: Path) -> Table:
    """Read a CSV file with a header; cells are separated by commas, or by semicolons or tabs if its header is so.

    Raises
    ------
    Failure
        If the file cannot be read, has no rows, or rows of different lengths.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=_delimiter(head), skipinitialspace=True)
            rows = [row for row in reader if row]
    except UnicodeDecodeError as error:
        raise Failure(f"{path} is no text in UTF-8: {error}") from None
    except (OSError, csv.Error) as error:
        raise Failure(f"{path} cannot be read: {error}") from None
    if len(rows) < 2:
        raise Failure(f"{path} has no rows below a header")
    header = [name.strip() for name in rows[0]]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise Failure(f"{path}: two columns are called {twice!r}")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise Failure(f"{path}: row {number} (the header is row 1) has {len(row)} cells, expected {len(header)}")
    columns = zip(*rows[1:], strict=True)
    return Table({name: _column(name, list(cells)) for name, cells in zip(header, columns, strict=True)})


def _column(name: str, cells: list[str]) -> Column:
    cells = [cell.strip() for cell in cells]
    return Column(name, cells, np.array([cell.casefold() in _MISSING for cell in cells]))


def _delimiter(head: str) -> str:
    return next((mark for mark in (",", ";", "\t") if mark in head), ",")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
