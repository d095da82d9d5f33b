"""``pynet train``: data in; a trained model, its figures and a picture of them out."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from .. import __version__, config
from ..arrays import Array
from ..callbacks import EarlyStopping, ProgressBar
from ..data import train_test_split
from ..data.batches import batch_ends
from ..errors import DivergedError
from ..training import History, Trainer
from .encoding import Classes, Encoding, TableInputs, guess_task, learn
from .failure import Failure
from .model_file import Trained
from .network import ACTIVATIONS, OPTIMIZERS, SCHEDULES, make_criterion, make_network, make_optimizer, make_schedules
from .options import Number, Widths
from .report import draw
from .scores import Scores, score
from .sources import Source, read_source, read_test_part
from .table import Table, counted

_RATES = ", ".join(f"{name} {optimizer.lr:g}" for name, optimizer in OPTIMIZERS.items())


class Split(NamedTuple):
    """Features and targets to train on, and those to watch; none of the latter without a validation part."""

    X: Array
    y: Array
    held_out: tuple[Array, Array] | None


@click.command(
    short_help="Train a network on DATA; write a model, a record and a picture.",
    epilog="Example: pynet train houses.csv --target price --hidden 64,64 --out results",
)
@click.argument("data", metavar="DATA")
@click.option("--target", metavar="NAME", help="The target's column in a CSV file.  [default: the last]")
@click.option("--drop", metavar="NAMES", default="", help="Columns to leave out, with commas between them.")
@click.option(
    "--missing",
    type=click.Choice(["error", "mean"]),
    default="error",
    show_default=True,
    help="Empty cells: an error, or the column's mean (of texts: each one's share).",
)
@click.option("--task", type=click.Choice(["classification", "regression"]), help="[default: as the target looks]")
@click.option("--hidden", default="256", show_default=True, type=Widths(), help="Units of each hidden layer: 128,64.")
@click.option("--activation", default="relu", show_default=True, type=click.Choice(list(ACTIVATIONS)))
@click.option("--dropout", default=0.0, show_default=True, type=Number(0, 1, max_open=True), help="Share dropped.")
@click.option("--batch-norm", is_flag=True, help="Put BatchNorm before each activation.")
@click.option("--optimizer", default="adam", show_default=True, type=click.Choice(list(OPTIMIZERS)))
@click.option("--lr", type=Number(0), help=f"Learning rate at the start.  [default: {_RATES}]")
@click.option("--schedule", default="cosine", show_default=True, type=click.Choice(SCHEDULES), help="Of the rate.")
@click.option(
    "--epochs", type=click.IntRange(1, 10**7), help="How often all rows are seen.  [default: 60; for few rows more]"
)
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(1, 10**9), help="Rows per step.")
@click.option("--validation", default=0.2, show_default=True, type=Number(0, 1, max_open=True), help="Share held out.")
@click.option("--patience", type=click.IntRange(1), help="Stop after so many epochs without improvement.")
@click.option("--dtype", default="float32", show_default=True, type=click.Choice(["float32", "float64"]))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="For the split, weights and order.")
@click.option("--threads", type=click.IntRange(1, 1024), help="How many may work.  [default: all CPUs]")
@click.option("--plot/--no-plot", default=True, show_default=True, help="Whether to draw the picture.")
@click.option(
    "--out",
    default=Path("."),
    show_default="here",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Folder for the files.",
)
def train(data: str, out: Path, plot: bool, **settings: Any) -> None:
    """Train a network on DATA; write NAME.safetensors, NAME.json and NAME.png, NAME being that of DATA.

    DATA is "digits" (1,797 handwritten digits that come with pynet, a quarter of them kept for "pynet evaluate"), a
    .csv file with a header, an .npz file with arrays X and y, or a folder with MNIST's IDX files, plain or .gz.

    Numbers are standardised and texts become one column per category; what was learned about the data is kept in the
    model's file and used by every other command. The weights are those of the best epoch by the loss on the rows held
    out, or without any on those trained on. Ctrl-C ends the training early and writes the best so far.
    """
    settings["lr"] = OPTIMIZERS[settings["optimizer"]].lr if settings["lr"] is None else settings["lr"]
    _require_possible(settings)
    source = _without(read_source(data, settings["target"]), settings["drop"])
    settings["task"] = settings["task"] or _guess(source)
    _make_folder(out)
    if settings["threads"] is not None:
        config.set_num_threads(settings["threads"])
    random = np.random.default_rng(settings["seed"])
    encoding, split = _prepare(source, random, settings)
    if settings["batch_norm"] and len(split.X) < 2:
        raise Failure("--batch-norm needs at least two rows to train on")
    model = make_network(split.X.shape[1], encoding.target.outputs, settings, random)
    start = time.perf_counter()
    settings["epochs"] = settings["epochs"] or _default_epochs(len(split.X), settings["batch_size"])
    history, best_epoch = _fit(model, encoding, split, random, settings)
    seconds = time.perf_counter() - start
    trained = Trained(model, encoding, {})
    scores = _score(trained, split, read_test_part(data))
    trained.record.update(
        pynet=__version__,
        data=data,
        rows={"train": len(split.X), "validation": len(split.held_out[0]) if split.held_out else 0},
        settings=settings,
        history={name: [_plain(value) for value in values] for name, values in history.items()},
        stopped=history.stopped,
        best_epoch=best_epoch,
        results={part: {name: _plain(v) for name, v in found.figures.items()} for part, found in scores.items()},
        seconds=seconds,
    )
    files = {ending: out / f"{source.name}.{ending}" for ending in ("safetensors", "json", "png")}
    if not plot:
        del files["png"]
    try:
        trained.save(files["safetensors"])
        files["json"].write_text(json.dumps(trained.record, indent=2) + "\n")
        if plot:
            draw(trained, history, scores).savefig(files["png"], dpi=120)
    except OSError as error:
        raise Failure(f"--out: {error}") from None
    _tell(trained, history, scores, files)
    if history.stopped == "interrupted":
        click.get_current_context().exit(130)


def _require_possible(settings: dict[str, Any]) -> None:
    if settings["batch_norm"] and settings["batch_size"] < 2:
        raise Failure("--batch-norm needs batches of at least two rows: --batch-size 2 or more")


def _without(source: Source, drop: str) -> Source:
    names = [name.strip() for name in drop.split(",") if name.strip()]
    if not names:
        return source
    if not isinstance(source.inputs, Table):
        raise Failure("--drop leaves out columns of a CSV file, which DATA is not")
    for name in names:
        source.inputs.column(name)
    kept = {name: column for name, column in source.inputs.columns.items() if name not in names}
    if not kept:
        raise Failure("--drop leaves no column to learn from")
    return source._replace(inputs=Table(kept))


def _guess(source: Source) -> str:
    task, doubt = guess_task(source)
    if doubt:
        click.echo(f"task: {task}, for the target {doubt}")
    return task


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"--out: {error}") from None


def _prepare(source: Source, random: np.random.Generator, settings: dict[str, Any]) -> tuple[Encoding, Split]:
    rows, held_out = np.arange(source.rows), np.arange(0)
    if settings["validation"]:
        rows, held_out = _split(source, random, settings)
    encoding = learn(source, rows, settings["task"], fill=settings["missing"] == "mean")
    for doubt in encoding.inputs.doubts(source.rows):
        click.echo(f"note: {doubt}")
    X = encoding.inputs.encode(source.inputs, settings["dtype"])
    y = encoding.target.encode(source, settings["dtype"])
    return encoding, Split(X[rows], y[rows], (X[held_out], y[held_out]) if len(held_out) else None)


def _split(source: Source, random: np.random.Generator, settings: dict[str, Any]) -> tuple[Array, Array]:
    """Draw the rows to hold out, of each class in proportion if there are enough of each."""
    rows, classes = np.arange(source.rows), None
    if not 0 < math.ceil(source.rows * settings["validation"]) < source.rows:
        raise Failure(f"--validation {settings['validation']} of {source.rows} rows leaves none to train on")
    if settings["task"] == "classification":
        labels = Classes.learn(source).encode(source, settings["dtype"])
        counts = np.bincount(labels)
        smaller = min(settings["validation"], 1 - settings["validation"]) * len(rows)
        classes = labels if counts.min() > 1 and smaller - 1 >= len(counts) else None
    train, held_out = train_test_split(rows, test_size=settings["validation"], stratify=classes, seed=random)
    return np.sort(train), np.sort(held_out)


def _default_epochs(rows: int, batch_size: int) -> int:
    """Return 60, but for few rows as many as make 2,000 steps, up to 500."""
    return max(60, min(500, -(-2000 // len(batch_ends(rows, batch_size)))))


def _fit(
    model: Any, encoding: Encoding, split: Split, random: np.random.Generator, settings: dict[str, Any]
) -> tuple[History, int]:
    """Train; return the history, and the epoch whose weights the model has."""
    optimizer = make_optimizer(model, settings)
    monitor = "loss" if split.held_out is None else "val_loss"
    batches = len(batch_ends(len(split.X), settings["batch_size"]))
    stopping = EarlyStopping(monitor, patience=settings["patience"])
    callbacks = [*make_schedules(optimizer, settings, batches, monitor), stopping, ProgressBar()]
    metric = "accuracy" if encoding.task == "classification" else "r2"
    trainer = Trainer(model, make_criterion(encoding.task), optimizer, callbacks, metrics=[metric])
    size = {"epochs": settings["epochs"], "batch_size": settings["batch_size"]}
    try:
        history = trainer.fit(split.X, split.y, **size, validation_data=split.held_out, seed=random)
    except DivergedError as error:
        raise Failure(f"training ended: {error}") from None
    return history, stopping.best_epoch


def _score(trained: Trained, split: Split, test: Source | None) -> dict[str, Scores]:
    """Return what the network is worth on the rows that it was not trained on."""
    scores = {}
    if split.held_out is not None:
        X, y = split.held_out
        scores["validation"] = score(trained.encoding.target, trained.model, X, y)
    if test is not None:
        scores["test"] = trained.score(test)
    return scores


def _plain(value: float) -> float | None:
    """Return what JSON can hold."""
    return value if math.isfinite(value) else None


def _tell(trained: Trained, history: History, scores: dict[str, Scores], files: dict[str, Path]) -> None:
    record = trained.record
    click.echo(f"{trained.model!r}")
    if isinstance(trained.encoding.inputs, TableInputs):
        click.echo(f"inputs: {trained.encoding.inputs.text}")
    rows, seconds, best = record["rows"]["train"], record["seconds"], record["best_epoch"]
    weights = f"weights of epoch {best}" if best else "weights of an epoch that was not completed"
    click.echo(
        f"trained on {counted(rows, 'row')} for {counted(history.epochs, 'epoch')} in {seconds:.2f} s, {weights}"
    )
    if history.stopped != "epochs":
        click.echo(f"stopped: {history.stopped}")
    for part, found in scores.items():
        click.echo(f"{part}: {found.text}")
    click.echo("written: " + ", ".join(map(str, files.values())))
