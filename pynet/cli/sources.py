"""Where data come from: the digits, .npz and .csv files, and folders of MNIST's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array
from ..data import load_digits, load_idx, train_test_split
from .failure import Failure
from .table import Column, Table, read_table


class Source(NamedTuple):
    """Inputs and targets as they are in a file, with a name for the files made of them."""

    name: str
    inputs: Table | Array
    target: Array | None  # numbers or texts; None where a file to predict from has none
    target_name: str
    target_missing: Array | None = None
    target_column: Column | None = None  # targets as a table has them
    scale: float | None = None  # what inputs are divided by; None where they are to be standardised

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.inputs.rows if isinstance(self.inputs, Table) else len(self.inputs)


def read_source(data: str, target: str | None = None, needs_target: bool = True) -> Source:
    """Read DATA; of what has a test part, the other one.

    Parameters
    ----------
    data : str
        "digits", or a path.
    target : str, optional
        The name of a table's target column, its last one unless given.
    needs_target : bool
        Whether a source without targets is an error.

    Raises
    ------
    Failure
        If there is nothing to read, or it is not what it must be.
    """
    path = Path(data)
    if target is not None and path.suffix != ".csv":
        raise Failure("--target names a column of a CSV file, which DATA is not")
    if _is_digits(data):
        return _digits("train")
    if path.is_dir():
        return _folder(path, "train")
    if not path.exists():
        raise Failure(f"DATA {data!r}: there is no such file or folder")
    if path.suffix == ".csv":
        return _csv(path, target, needs_target)
    if path.suffix == ".npz":
        return _npz(path, needs_target)
    raise Failure(f"DATA {data!r} must be 'digits', a .csv or .npz file, or a folder with MNIST's IDX files")


def read_test_part(data: str) -> Source | None:
    """Read the test part of DATA: of the digits, and of a folder that has one; None of anything else."""
    if _is_digits(data):
        return _digits("test")
    path = Path(data)
    return _folder(path, "t10k") if path.is_dir() and _find(path, "t10k-images") else None


def _is_digits(data: str) -> bool:
    return data == "digits" and not Path(data).exists()


def _digits(part: str) -> Source:
    X, y = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, seed=0)
    chosen = (X_train, y_train) if part == "train" else (X_test, y_test)
    return Source("digits", *chosen, target_name="digit", scale=16.0)


def _csv(path: Path, target: str | None, needs_target: bool) -> Source:
    table = read_table(path)
    name = target if target is not None else list(table.columns)[-1]
    if name not in table.columns and not needs_target:
        return Source(path.stem, table, None, name)
    column = table.column(name)
    rest = Table({other: cells for other, cells in table.columns.items() if other != name})
    if not rest.columns:
        raise Failure(f"{path} has no column beside the target {name!r}")
    numbers = column.numbers()
    target_of_rows = np.array(column.cells) if numbers is None else numbers
    return Source(path.stem, rest, target_of_rows, name, column.missing, column)


def _npz(path: Path, needs_target: bool) -> Source:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("X", "y") if name in file.files}
            names = file.files
    except Exception as error:  # whatever a parser says of a file that is not what it should be
        raise Failure(f"{path} cannot be read as an .npz file: {error}") from None
    wanted = ["X", "y"] if needs_target else ["X"]
    absent = [name for name in wanted if name not in arrays]
    if absent:
        raise Failure(f"{path} has no array {absent[0]!r}; there are {', '.join(map(repr, names)) or 'none'}")
    X, y = arrays["X"], arrays.get("y")
    if X.ndim < 2 or X.dtype.kind not in "fiub":
        raise Failure(f"{path}: X must be numbers with one row per sample, got {X.dtype} of shape {X.shape}")
    if not len(X):
        raise Failure(f"{path}: X has no rows")
    if y is not None and (not y.ndim or len(y) != len(X)):
        raise Failure(f"{path}: X has {len(X)} rows, y has shape {y.shape}")
    if y is not None and y.dtype.kind not in "fiubU":
        raise Failure(f"{path}: y must be numbers or texts, got {y.dtype}")
    if y is not None and y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y is not None and y.dtype.kind == "f" and np.isinf(y).any():
        raise Failure(f"{path}: y is not finite everywhere")
    missing = np.isnan(y).reshape(len(y), -1).any(axis=1) if y is not None and y.dtype.kind == "f" else None
    return Source(path.stem, X, y, "y", missing, scale=255.0 if X.dtype == np.uint8 else None)


def _folder(path: Path, prefix: str) -> Source:
    files = [_find(path, f"{prefix}-{name}") for name in ("images", "labels")]
    if not all(files):
        raise Failure(
            f"{path} must hold {prefix}-images-idx3-ubyte and {prefix}-labels-idx1-ubyte, with or without .gz, "
            "and does not"
        )
    images, labels = (_idx(file) for file in files)
    if images.ndim < 2 or labels.ndim != 1 or len(images) != len(labels) or not len(images):
        raise Failure(f"{path}: images of shape {images.shape} and labels of shape {labels.shape} do not fit")
    return Source(path.resolve().name, images, labels, "label", scale=255.0)


def _find(folder: Path, stem: str) -> Path | None:
    found = sorted(file for file in folder.iterdir() if file.name.startswith(stem) and "idx" in file.name)
    return found[0] if found else None


def _idx(file: Any) -> Array:
    try:
        return load_idx(file)
    except (ValueError, OSError) as error:
        raise Failure(str(error)) from None
