"""A training and a test part."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..random import Randomness, Seed
from .loader import as_rows, require_same_rows


def train_test_split(
    *arrays: npt.ArrayLike,
    test_size: float | int = 0.25,
    shuffle: bool = True,
    stratify: npt.ArrayLike | None = None,
    seed: Seed = None,
) -> list[Array]:
    """Split arrays by rows into a training and a test part.

    Parameters
    ----------
    *arrays : array
        At least one, all with the same number of rows.
    test_size : float or int, default 0.25
        The share of rows for the test part, in (0, 1), rounded up; or their number.
    shuffle : bool, default True
        Whether rows are drawn at random; else the last ones are the test part.
    stratify : array (N,), optional
        Classes, each to stand in both parts in the same proportion as far as whole rows allow.
    seed : int or numpy.random.Generator, optional
        Where the draw comes from; NumPy's global generator unless given.

    Returns
    -------
    list of array
        ``[X_train, X_test, y_train, y_test]`` for ``train_test_split(X, y)``.

    Raises
    ------
    ShapeError
        If numbers of rows differ.
    ValueError
        If a part would be empty; with ``stratify``, if a class has only one row or a part has fewer rows than there are
        classes, or without ``shuffle``.
    """
    if not arrays:
        raise TypeError("train_test_split needs at least one array")
    parts = [as_rows(array, f"array {position}") for position, array in enumerate(arrays)]
    named = {f"array {position}": part for position, part in enumerate(parts)}
    if stratify is not None:
        named["stratify"] = as_rows(stratify, "stratify")
    require_same_rows(**named)
    rows = len(parts[0])
    test_rows = _test_rows(rows, test_size)
    random = Randomness(seed)
    if stratify is None:
        order = random.permutation(rows) if shuffle else np.arange(rows)
        train, test = order[: rows - test_rows], order[rows - test_rows :]
    else:
        if not shuffle:
            raise ValueError("stratify needs shuffle=True")
        train, test = _stratified(named["stratify"], test_rows, random)
    return [part[chosen] for part in parts for chosen in (train, test)]


def _test_rows(rows: int, test_size: float | int) -> int:
    if isinstance(test_size, bool) or not isinstance(test_size, int | float | np.integer | np.floating):
        raise TypeError(f"test_size must be a share in (0, 1) or a number of rows, got {test_size!r}")
    if isinstance(test_size, int | np.integer):
        wanted = int(test_size)
    else:
        wanted = math.ceil(rows * float(test_size)) if 0 < test_size < 1 else 0
    if not 0 < wanted < rows:
        raise ValueError(f"test_size {test_size} leaves a part of {rows} rows empty")
    return wanted


def _stratified(classes: Array, test_rows: int, random: Randomness) -> tuple[Array, Array]:
    """Give each class its share of the test rows, the largest remainders first."""
    if classes.ndim != 1:
        raise ValueError(f"stratify must have one axis, got shape {classes.shape}")
    names, which, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(f"stratify: class {names[counts.argmin()]!r} has one row, and cannot stand in both parts")
    if min(test_rows, len(classes) - test_rows) < len(names):
        raise ValueError(f"stratify: a part has fewer rows than there are classes ({len(names)})")
    share = counts * (test_rows / len(classes))
    quota = np.clip(np.floor(share).astype(np.int64), 1, counts - 1)
    # Whole rows rarely add up: those furthest below their share get one more, those furthest above give one back.
    while quota.sum() != test_rows:
        step = 1 if quota.sum() < test_rows else -1
        room = quota < counts - 1 if step > 0 else quota > 1
        quota[np.argmax(np.where(room, (share - quota) * step, -np.inf))] += step
    order = random.permutation(len(classes))
    grouped = order[np.argsort(which[order], kind="stable")]
    rank = np.arange(len(classes)) - np.repeat(np.cumsum(counts) - counts, counts)
    in_test = np.empty(len(classes), bool)
    in_test[grouped] = rank < np.repeat(quota, counts)
    return order[~in_test[order]], order[in_test[order]]
