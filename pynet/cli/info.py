"""``pynet info``: what is in a model's file."""

from __future__ import annotations

from pathlib import Path

import click

from ..inspection import summary
from .encoding import Classes
from .model_file import Trained, read_model
from .table import counted, some


@click.command(
    short_help="Tell what is in MODEL.",
    epilog="Example: pynet info results/houses.safetensors",
)
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
def info(model: Path) -> None:
    """Tell what is in MODEL, a file that "pynet train" wrote: layers, parameters, data, settings, results."""
    trained = read_model(model)
    click.echo(str(summary(trained.model, len(trained.encoding.inputs.names))))
    click.echo()
    for name, text in _rows(trained).items():
        click.echo(f"{name + ':':<17}{text}")


def _rows(trained: Trained) -> dict[str, str]:
    record, encoding = trained.record, trained.encoding
    rows = record["rows"]
    results = {
        f"{part} part": ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if value is not None)
        for part, figures in record["results"].items()
    }
    return {
        "data": f"{record['data']}, {counted(rows['train'], 'row')} to train on, {rows['validation']:,} held out",
        "inputs": encoding.inputs.text,
        "target": _target(trained),
        "task": encoding.task,
        "settings": ", ".join(
            f"{name} {_shown(value)}" for name, value in record["settings"].items() if value not in (None, "")
        ),
        "training": f"{counted(len(next(iter(record['history'].values()), [])), 'epoch')} in {record['seconds']:.2f} s",
        **results,
        "written by": f"pynet {record['pynet']}",
    }


def _target(trained: Trained) -> str:
    target = trained.encoding.target
    if isinstance(target, Classes):
        return f"{target.name}, {len(target.classes)} classes: {some(target.classes, str)}"
    return ", ".join(target.names)


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
