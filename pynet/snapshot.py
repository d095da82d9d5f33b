"""The arrays of a model, its parameters and buffers, as they are at one moment."""

from typing import Any

import numpy as np

from . import protocol
from .arrays import Array


def take_snapshot(model: Any) -> dict[str, Array]:
    """Return copies of all parameters and buffers by name; of any module, a user's own too."""
    return {name: np.array(array) for name, array in arrays_of(model).items()}


def restore_snapshot(model: Any, snapshot: dict[str, Array]) -> None:
    """Write what `take_snapshot` returned into the model's arrays."""
    for name, array in arrays_of(model).items():
        if name in snapshot:
            array[...] = snapshot[name]


def arrays_of(model: Any) -> dict[str, Array]:
    """Return parameters and buffers by name, live; one that several share once, or two swaps would undo each other."""
    arrays: dict[int, tuple[str, Array]] = {}
    for name, array, _, _ in protocol.all_parameters(model) + protocol.all_buffers(model):
        arrays.setdefault(id(array), (name, array))
    return dict(arrays.values())
