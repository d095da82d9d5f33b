"""The rows of one fit: those to train on, and those to watch."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array
from ..callbacks import Callback
from ..data import train_test_split


class Run(NamedTuple):
    """What is to be trained on: rows with what is right as the criterion takes it and what they count, and how."""

    X: Any
    target: Array
    weight: Array | None
    rows: int
    decay: float
    callbacks: list[Callback]
    partial: bool


class HeldOut(NamedTuple):
    """Rows to watch: inputs, what is right as positions or amounts and as the criterion takes it, and weights."""

    X: Array
    codes: Array
    target: Array
    weight: Array | None


def split_rows(codes: Array, fraction: float, generator: np.random.Generator) -> list[Array]:
    """Draw the rows to train on and those to hold out, of each class in proportion if there are enough of each."""
    if math.ceil(len(codes) * fraction) == len(codes):
        share = f"validation_fraction = {fraction} of n_samples = {len(codes)}"
        raise ValueError(f"early_stopping holds {share} rows out, which leaves none to train on")
    classes = None
    if codes.ndim == 1:
        counts = np.unique_counts(codes).counts
        smaller = min(fraction, 1 - fraction) * len(codes)
        classes = codes if counts.min() > 1 and smaller >= len(counts) + 1 else None
    return train_test_split(np.arange(len(codes)), test_size=float(fraction), stratify=classes, seed=generator)
