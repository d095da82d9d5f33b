"""Checkpoints: a model file that also holds all that a run needs to go on as if it had never stopped."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from .. import saving
from ..arrays import Array
from ..errors import CheckpointError
from ..module import Module


def write(path: str | os.PathLike[str], model: Module, run: dict[str, Any]) -> None:
    """Write a model and the state of its run: numbers, texts, arrays, and lists and dicts of these."""
    arrays: dict[str, Array] = {}
    saving.write(model, path, {"run": _pack(run, "run", arrays)}, arrays)


class Saved(NamedTuple):
    """The states of a run and of its model."""

    run: dict[str, Any]
    state: dict[str, Array]


def read(path: str | os.PathLike[str]) -> Saved:
    """Read what `write` wrote.

    Raises
    ------
    CheckpointError
        If the file is damaged, or a model without a run.
    """
    content = saving.read(path)
    metadata = content.header.get("metadata")
    if not isinstance(metadata, dict) or "run" not in metadata:
        raise CheckpointError(f"{os.fspath(path)} holds a model but no training run: write it with Checkpoint")
    try:
        return Saved(_unpack(metadata["run"], content.extra), content.state)
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{os.fspath(path)} is damaged: {error!r}") from None


def _pack(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """Return what JSON can hold, with arrays put aside under a name."""
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if isinstance(value, dict):
        return {"dict": [[key, _pack(item, f"{name}/{key}", arrays)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_pack(item, f"{name}/{position}", arrays) for position, item in enumerate(value)]
    return value.item() if isinstance(value, np.generic) else value


def _unpack(value: Any, arrays: dict[str, Array]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if isinstance(value, dict):
        return arrays[value["array"]] if "array" in value else {k: _unpack(v, arrays) for k, v in value["dict"]}
    return value
