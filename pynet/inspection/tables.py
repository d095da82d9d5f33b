"""Tables of text: columns as wide as what stands in them."""

from collections.abc import Sequence


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], total: Sequence[str], left: int) -> str:
    """Return a table with a line under its header and one above its total; the first ``left`` columns align left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, total, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(header), rule, *map(line, rows), rule, line(total)])


def short(value: float) -> str:
    """Return a number with three digits and a prefix, ``12.3 M``; '-' for 0."""
    if not value:
        return "-"
    value, power = float(f"{value:.3g}"), 0
    while value >= 1000 and power < 4:
        value, power = value / 1000, power + 1
    return f"{value:.3g} {' kMGT'[power]}".rstrip()


def count(value: int) -> str:
    """Return a whole number with commas; '-' for 0."""
    return f"{value:,}" if value else "-"
