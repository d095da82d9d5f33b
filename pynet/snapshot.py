"""The arrays of a model, its parameters and buffers, as they are at one moment."""

from typing import Any

import numpy as np

from . import protocol
from .arrays import Array


def take_snapshot(model: Any) -> dict[str, Array]:
    """Return copies of all parameters and buffers by name; of any module, a user's own too."""
    return {name: np.array(array) for name, array in _arrays(model).items()}


def restore_snapshot(model: Any, snapshot: dict[str, Array]) -> None:
    """Write what `take_snapshot` returned into the model's arrays."""
    for name, array in _arrays(model).items():
        if name in snapshot:
            array[...] = snapshot[name]


def _arrays(model: Any) -> dict[str, Array]:
    return {entry.name: entry.array for entry in protocol.all_parameters(model) + protocol.all_buffers(model)}
