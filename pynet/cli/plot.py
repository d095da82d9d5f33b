"""``pynet plot``: the curves of a training run."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click

from ..errors import CheckpointError
from ..plot import curves
from ..training import History
from .failure import Failure


@click.command(
    short_help="Draw the curves of a training run.",
    epilog="Example: pynet plot results/houses.json --out houses_curves.png",
)
@click.argument("history", metavar="HISTORY", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: HISTORY.curves.png]")
def plot(history: Path, out: Path | None) -> None:
    """Draw the curves of HISTORY: the .json that "pynet train" wrote, or a .csv of History.to_csv or CSVLogger.

    The ending of --out names the format: .png, .svg, .pdf.
    """
    out = history.with_suffix(".curves.png") if out is None else out
    try:
        curves(_read(history)).savefig(out, dpi=120)
    except (OSError, ValueError) as error:
        raise Failure(f"{out}: {error}") from None
    click.echo(f"written: {out}")


def _read(path: Path) -> History:
    try:
        if path.suffix == ".csv":
            return History.from_csv(path)
        columns = json.loads(path.read_text(encoding="utf-8"))["history"]
        return History({name: list(map(_as_number, column)) for name, column in columns.items()})
    except FileNotFoundError:
        raise Failure(f"HISTORY {str(path)!r}: there is no such file") from None
    except (OSError, CheckpointError) as error:
        raise Failure(f"HISTORY {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Failure(f"HISTORY {str(path)!r} is not what 'pynet train' writes") from None


def _as_number(value: float | None) -> float:
    return math.nan if value is None else float(value)
