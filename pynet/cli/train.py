"""``pynet train``: data in, a trained model, its figures and a picture of them out."""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from tqdm.auto import tqdm

from .. import __version__
from ..arrays import Array
from ..criteria import CrossEntropyLoss
from ..data import DataLoader, load_digits, train_test_split
from ..layers import Dropout, Linear, ReLU
from ..optim import Adam
from ..saving import save
from ..sequential import Sequential
from .report import draw


class Split(NamedTuple):
    """Inputs scaled to [0, 1], and labels."""

    X_train: Array
    X_test: Array
    y_train: Array
    y_test: Array


class Number(click.FloatRange):
    """A range of numbers that NaN is not in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; end with an error if it is out of range."""
        number = super().convert(value, param, ctx)
        if np.isnan(number):
            self.fail("nan is not in the range.", param, ctx)
        return number


@click.command(
    short_help="Train a network on DATA; write a model, a record and a picture.",
    epilog="Example: pynet train digits --seed 1 --out results",
)
@click.argument("data", metavar="DATA", type=click.Choice(["digits"]))
@click.option("--hidden", default=256, show_default=True, type=click.IntRange(1, 100_000), help="Hidden units.")
@click.option("--dropout", default=0.3, show_default=True, type=Number(0, 1, max_open=True), help="Share dropped.")
@click.option("--epochs", default=60, show_default=True, type=click.IntRange(1), help="How often all rows are seen.")
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(1, 10**9), help="Rows per step.")
@click.option("--lr", default=4e-3, show_default=True, type=Number(0), help="Learning rate of Adam at the start.")
@click.option("--dtype", default="float32", show_default=True, type=click.Choice(["float32", "float64"]))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="For the split, weights and order.")
@click.option(
    "--out",
    default=Path("."),
    show_default="here",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Folder for the three files.",
)
def train(data: str, seed: int, out: Path, **settings: Any) -> None:
    """Train a network on DATA and write DATA.safetensors, DATA.json and DATA.png.

    DATA is "digits": 1,797 handwritten digits that come with pynet, a quarter of them kept for the test.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(str(error), param_hint="--out") from None
    random = np.random.default_rng(seed)
    split = _split(random, settings["dtype"])
    model = _network(split, random, settings)
    start = time.perf_counter()
    history = _fit(model, split, random, settings)
    seconds = time.perf_counter() - start
    predicted = model(split.X_test).argmax(axis=1)
    accuracy = float(np.mean(predicted == split.y_test))

    files = {ending: out / f"{data}.{ending}" for ending in ("safetensors", "json", "png")}
    save(model, files["safetensors"])
    record = {
        "pynet": __version__,
        "data": data,
        "settings": settings | {"seed": seed},
        "history": history,
        "test_accuracy": accuracy,
        "seconds": seconds,
    }
    files["json"].write_text(json.dumps(record, indent=2) + "\n")
    draw(history, split.X_test, split.y_test, predicted).savefig(files["png"], dpi=120)

    click.echo(f"{model!r}")
    click.echo(f"test accuracy: {accuracy:.4f} ({len(split.y_test)} digits that it had not seen)")
    click.echo(f"training time: {seconds:.2f} s for {settings['epochs']} epochs of {len(split.y_train)} digits")
    click.echo("written:       " + ", ".join(map(str, files.values())))


def _split(random: np.random.Generator, dtype: str) -> Split:
    X, y = load_digits()
    X = (X / 16).astype(dtype)
    return Split(*train_test_split(X, y, test_size=0.25, stratify=y, seed=random))


def _network(split: Split, random: np.random.Generator, settings: dict[str, Any]) -> Sequential:
    features, classes = split.X_train.shape[1], int(split.y_train.max()) + 1
    return Sequential(
        Linear(features, settings["hidden"], dtype=settings["dtype"], seed=random),
        ReLU(),
        Dropout(settings["dropout"], seed=random),
        Linear(settings["hidden"], classes, dtype=settings["dtype"], seed=random),
    )


def _fit(
    model: Sequential, split: Split, random: np.random.Generator, settings: dict[str, Any]
) -> dict[str, list[float]]:
    """Train; return loss and accuracy per epoch, on the training part while learning, on the test part after it."""
    criterion, optimizer = CrossEntropyLoss(), Adam(model, settings["lr"])
    batches = DataLoader(split.X_train, split.y_train, settings["batch_size"], shuffle=True, seed=random)
    history: dict[str, list[float]] = {"loss": [], "accuracy": [], "test_loss": [], "test_accuracy": []}
    # Short enough for a terminal of 80 columns, loss and accuracy included.
    form = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
    bar = tqdm(range(settings["epochs"]), bar_format=form, disable=None)
    for epoch in bar:
        # The rate falls to zero along half a cosine: the last epochs settle instead of jumping about.
        optimizer.lr = settings["lr"] * (1 + np.cos(np.pi * epoch / settings["epochs"])) / 2
        loss, right = _epoch(model, criterion, optimizer, batches)
        scores = model.eval()(split.X_test)
        history["loss"].append(loss / len(split.y_train))
        history["accuracy"].append(right / len(split.y_train))
        history["test_loss"].append(float(criterion(scores, split.y_test)))
        history["test_accuracy"].append(float(np.mean(scores.argmax(axis=1) == split.y_test)))
        bar.set_postfix_str(f"loss {history['loss'][-1]:.4f}, accuracy {history['test_accuracy'][-1]:.3f}")
    return history


def _epoch(model: Sequential, criterion: CrossEntropyLoss, optimizer: Adam, batches: DataLoader) -> tuple[float, int]:
    """Run one epoch; return the sum of the losses and the number of right answers."""
    model.train()
    loss, right = 0.0, 0
    for x, y in batches:
        scores = model(x)
        loss += float(criterion(scores, y)) * len(y)
        right += int(np.sum(scores.argmax(axis=1) == y))
        model.backward(x, criterion.backward(scores, y))
        optimizer.step()
    return loss, right
