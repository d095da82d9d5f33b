"""FLOOR.md: what each cell must compute and move, and what was made of it."""

from pathlib import Path
from typing import Any

import cells

NOTES = Path(__file__).with_name("floor_notes.md")


def page(results: dict[str, Any]) -> str:
    """Return the page: tables of a run, and between them what floor_notes.md says."""
    tables = [part for run in results["runs"] if run["machine"] for part in _tables(run)]
    return NOTES.read_text().replace("<!-- tables -->", "\n\n".join(tables))


def _tables(run: dict[str, Any]) -> list[str]:
    threads, machine = run["threads"], run["machine"]
    rows = {row["name"]: row for row in run["cells"]}
    parts = []
    for kind, heading in (("train", "Training"), ("predict", "Prediction from frozen weights")):
        members = [cell for group in (cells.SMALL, cells.LARGE) for cell in group if kind in rows.get(cell.name, {})]
        if members:
            lines = [_line(cell, rows[cell.name][kind]["pynet"][0], kind == "train", machine) for cell in members]
            title = f"### {heading}, {threads} thread{'s' if threads > 1 else ''}, {machine['gflops']:.0f} GFLOP/s"
            parts += [title, "\n".join([_HEAD, *lines])]
    return parts


_HEAD = """| model, batch | MFLOP | MB | by operations, µs | by bytes, µs | pynet, µs | share |
| --- | --- | --- | --- | --- | --- | --- |"""


def _line(cell: cells.Cell, took: float, training: bool, machine: dict[str, Any]) -> str:
    import floor

    operations, moved = cell.operations(training), cell.bytes(training)
    by_operations = operations / machine["gflops"] * 1e-3
    by_bytes = moved / floor.bandwidth(cell, training, machine) * 1e-3
    share = max(by_operations, by_bytes) / took
    figures = [_short(x) for x in (operations * 1e-6, moved * 1e-6, by_operations, by_bytes, took)]
    return f"| {cell.model}, {cell.batch} | {' | '.join(figures)} | {share:.2f} |"


def _short(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.3g}"
