"""One random state decides everything that an estimator draws; NumPy's global generator is left alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import protocol
from ..random import Randomness

_one_at_a_time = threading.RLock()


def new_generator(random_state: Any) -> np.random.Generator:
    """Return a generator that a NumPy RandomState decides."""
    return np.random.default_rng(random_state.randint(2**32, size=4, dtype=np.uint32))


@contextmanager
def seeded(random_state: Any) -> Iterator[None]:
    """Have NumPy's global generator give what a RandomState decides for a while, and then what it would have given.

    For a user's function that makes layers: their weights come from there. One thread at a time.
    """
    seed = random_state.randint(2**32, dtype=np.uint32)
    with _one_at_a_time:
        before = np.random.get_state()
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(before)


def take_over(model: Any, generator: np.random.Generator) -> None:
    """Have modules that draw from NumPy's global generator draw from another one."""
    for _, module in protocol.modules(model):
        for value in protocol.attributes_of(module).values():
            if isinstance(value, Randomness) and value.generator is None:
                value.generator = generator
