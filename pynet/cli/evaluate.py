"""``pynet evaluate``: what a trained model is worth on other data."""

from __future__ import annotations

from pathlib import Path

import click

from .encoding import Classes
from .model_file import read_data_for, read_model
from .scores import confusion_table


@click.command(
    short_help="Tell what MODEL is worth on DATA.",
    epilog="Example: pynet evaluate results/houses.safetensors new_houses.csv",
)
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@click.argument("data", metavar="DATA")
def evaluate(model: Path, data: str) -> None:
    """Tell what MODEL, a file that "pynet train" wrote, is worth on DATA.

    Accuracy, loss and confusion matrix of classes; R2, mean absolute and root mean square error of amounts. Of the
    digits, and of a folder with MNIST's files for it, the test part is used; else all rows.
    """
    trained = read_model(model)
    scores = trained.score(read_data_for(trained, data, needs_target=True))
    click.echo(scores.text)
    target = trained.encoding.target
    if isinstance(target, Classes):
        click.echo(confusion_table([str(name) for name in target.classes], scores))
