"""The parts of the samples: rows to train on, and rows to watch."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..checks import as_number
from ..data.split import train_test_split
from ..random import Randomness
from .samples import Samples


class Part(NamedTuple):
    """Samples, and which of their rows: all of them for None."""

    samples: Samples
    rows: Array | None

    @property
    def size(self) -> int:
        """How many these are."""
        return len(self.samples) if self.rows is None else len(self.rows)

    @property
    def mean_weight(self) -> float:
        """What a row counts in the mean."""
        weight = self.samples.weight
        return 1.0 if weight is None else float(np.mean(weight if self.rows is None else weight[self.rows]))


def split(
    samples: Samples, held_out: Samples | None, share: float | None, order: Randomness
) -> tuple[Part, Part | None]:
    """Return what to train on, and what to watch: other samples, a share of these drawn from ``order``, or nothing."""
    if share is None:
        return Part(samples, None), None if held_out is None else Part(held_out, None)
    if not 0 < as_number(share, "validation_split") < 1:
        raise ValueError(f"validation_split must be a share between 0 and 1, got {share}")
    if not 0 < math.ceil(len(samples) * share) < len(samples):
        raise ValueError(f"validation_split {share} of {len(samples)} rows leaves none to train on")
    train, validation = train_test_split(np.arange(len(samples)), test_size=share, seed=order.generator)
    return Part(samples, np.sort(train)), Part(samples, np.sort(validation))
