"""``pynet predict``: what a trained model makes of data."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from .encoding import Classes
from .model_file import read_data_for, read_model


@click.command(
    short_help="Write what MODEL predicts for DATA, as CSV.",
    epilog="Example: pynet predict results/flowers.safetensors new.csv > predicted.csv",
)
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@click.argument("data", metavar="DATA")
def predict(model: Path, data: str) -> None:
    """Write what MODEL, a file that "pynet train" wrote, predicts for each row of DATA, as CSV to standard output.

    Of classes: the most probable, and the probability of each. Of amounts: their values. DATA needs no target column.
    """
    trained = read_model(model)
    predicted = trained.predict(read_data_for(trained, data, needs_target=False))
    target = trained.encoding.target
    table = csv.writer(sys.stdout, lineterminator="\n")
    if isinstance(target, Classes):
        table.writerow([target.name, *(f"p({name})" for name in target.classes)])
        best = [target.classes[place] for place in predicted.argmax(axis=1)]
        table.writerows([name, *(f"{p:.6g}" for p in row)] for name, row in zip(best, predicted.tolist(), strict=True))
    else:
        table.writerow(target.names)
        table.writerows([f"{value:.9g}" for value in row] for row in predicted.tolist())
