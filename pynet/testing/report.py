"""What `check_module` found, row by row."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One thing that was checked.

    Attributes
    ----------
    name : str
        What should hold.
    status : {"ok", "note", "FAIL"}
        A note is of what pynet's own layers do and yours does not, and can live without.
    text : str
        What was seen; for a failure, expected and got.
    """

    name: str
    status: str
    text: str


class ModuleReport(NamedTuple):
    """What `check_module` found; printed, it is a table.

    Attributes
    ----------
    title : str
        The module and the shape of the input.
    rows : tuple of Row
        One for each thing that was checked.
    """

    title: str
    rows: tuple[Row, ...]

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows that went wrong."""
        return tuple(row for row in self.rows if row.status == "FAIL")

    @property
    def notes(self) -> tuple[Row, ...]:
        """The rows that say how the module differs from pynet's own."""
        return tuple(row for row in self.rows if row.status == "note")

    def __repr__(self) -> str:
        return "\n".join([self.title, *lines_of(self.rows)])


class CheckError(AssertionError):
    """A module does not do what a network asks of it.

    Attributes
    ----------
    report : ModuleReport
        All rows, those that passed too.
    """

    def __init__(self, report: ModuleReport) -> None:
        self.report = report
        super().__init__(report)

    def __str__(self) -> str:
        failures = self.report.failures
        title = f"{self.report.title}: {len(failures)} of {len(self.report.rows)} checks failed"
        return "\n".join([title, *lines_of(failures)])


def lines_of(rows: tuple[Row, ...]) -> list[str]:
    """Return the rows as lines of a table."""
    width = max((len(row.name) for row in rows), default=0)
    indent = "\n" + " " * (width + 10)
    return [f"  {row.status:4}  {row.name:{width}}  {row.text}".rstrip().replace("\n", indent) for row in rows]
