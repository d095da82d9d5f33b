"""Trying something on a copy of a model, with nothing left behind."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import protocol


@contextmanager
def trial(model: Any) -> Iterator[Any]:
    """Yield a deep copy of a model; at the end NumPy's random state is what it was.

    Raises
    ------
    TypeError
        If ``model`` is no module.
    """
    if not protocol.is_module(model):
        raise TypeError(f"model must be a module with forward and backward, got {model!r:.80}")
    random = np.random.get_state()
    try:
        yield copy.deepcopy(model)
    finally:
        np.random.set_state(random)
