"""Checkpoints: a model file that also holds all that a run needs to go on as if it had never stopped."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from .. import saving
from ..arrays import Array
from ..errors import CheckpointError
from ..module import Module
from . import random_state


def write(path: str | os.PathLike[str], model: Module, run: dict[str, Any]) -> None:
    """Write a model and the state of its run: numbers, texts, arrays, and lists and dicts of these."""
    arrays: dict[str, Array] = {}
    saving.write(model, path, {"run": _pack(run, "run", arrays)}, arrays)


class Saved(NamedTuple):
    """The states of a run and of its model, and the file that they come from."""

    path: str
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
    with saving.told_of(path):
        if not isinstance(metadata, dict) or "run" not in metadata:
            raise CheckpointError("it holds a model but no training run: write it with Checkpoint")
        run = _unpack(metadata["run"], content.extra)
        _require_parts(run)
        return Saved(os.fspath(path), run, content.state)


# What a run consists of.
_PARTS = {"history": dict, "stopping": str, "optimizer": dict, "callbacks": list, "random": dict}


def _require_parts(run: Any) -> None:
    if not isinstance(run, dict) or any(not isinstance(run.get(name), kind) for name, kind in _PARTS.items()):
        raise CheckpointError(f"its run does not consist of {', '.join(_PARTS)}")
    figures = list(run["history"].values())
    if not all(isinstance(f, np.ndarray) and f.shape == figures[0].shape == (f.size,) for f in figures):
        raise CheckpointError("its history does not have one number for each epoch")
    if not all(map(_is_name_and_state, run["callbacks"])):
        raise CheckpointError("its callbacks are not names and states")
    for moment in ("start", "now"):
        random_state.require(run["random"][moment])


def _is_name_and_state(pair: Any) -> bool:
    return isinstance(pair, list) and [type(item) for item in pair] == [str, dict]


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
