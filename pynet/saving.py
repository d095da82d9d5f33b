"""Saving and loading models: architecture and weights in one file, of which nothing is ever run."""

import os
import stat
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from . import architecture, protocol
from .arrays import Array, native_float
from .errors import CheckpointError
from .formats import format_of, json_text
from .module import Module
from .replacing import open_at_once, replace

__all__ = ["load", "load_metadata", "save"]

_EXTRA = "extra/"  # what the names of arrays begin with that are no state of the model


class Content(NamedTuple):
    """What a file holds: the architecture and other plain data, the model's arrays, and other arrays."""

    header: dict[str, Any]
    state: dict[str, Array]
    extra: dict[str, Array]


def save(model: Module, path: str | os.PathLike[str], metadata: Any = None) -> None:
    """Write a model's architecture and weights to one file.

    The file is written beside its place, flushed to the disk and renamed, so that there is either the old one or the
    new one, whatever happens.

    Parameters
    ----------
    model : Module
        Its architecture comes from ``config()``: a user's own class too, as long as that returns what its constructor
        takes. Random state is not written.
    path : str or path
        Ends in ``.npz`` or ``.safetensors``.
    metadata : dict, list, str, number, bool or None
        Whatever belongs to the model, such as names of classes: what JSON can hold. `load_metadata` returns it.

    Raises
    ------
    ValueError
        If the ending is another one, a number in ``metadata`` is not finite, or there is more of it than `load` would
        give memory to.
    TypeError
        If the model is no `pynet.Module`, or holds a constructor's argument or an array that a file cannot keep; if
        ``metadata`` is nothing that JSON can hold.
    OSError
        If the file cannot be written.
    """
    write(model, path, metadata, {})


def write(model: Module, path: str | os.PathLike[str], metadata: Any, extra: Mapping[str, Array]) -> None:
    """Write a model, metadata, and arrays of other names than the model's: see `save`."""
    if not isinstance(model, Module):
        raise TypeError(f"model must be a pynet.Module, got {type(model).__name__}")
    in_format = format_of(path)
    modes = [bool(getattr(part, "training", True)) for _, part in protocol.modules(model)]
    header = {"format": 1, "architecture": architecture.encode(model), "training": modes}
    arrays = model.state_dict() | {_EXTRA + name: np.asarray(array, order="C") for name, array in extra.items()}
    try:
        text = json_text.dump(header | {"metadata": metadata})
        json_text.require_room(text, len(text) + sum(array.nbytes for array in arrays.values()))
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"metadata must be what JSON can hold: {error}") from None
    for name in arrays:
        if not name.isprintable():
            raise ValueError(f"{name!r:.80} is no name for a parameter in a file")
    replace(path, lambda file: in_format.write(file, text, arrays))


def load(path: str | os.PathLike[str], classes: Iterable[type] = ()) -> Any:
    """Read a model that `save` wrote.

    Nothing in the file is unpickled, evaluated or imported: it can name pynet's own classes, and those given here.

    Parameters
    ----------
    path : str or path
        Ends in ``.npz`` or ``.safetensors``.
    classes : list of type, optional
        The user's own modules that the file may hold.

    Returns
    -------
    Module
        In the mode, training or evaluation, in which it was saved.

    Raises
    ------
    CheckpointError
        If the file is damaged, not one of pynet's, or names a class that was not given.
    ValueError
        If the ending is another one.
    OSError
        If the file cannot be read.

    Warns
    -----
    UserWarning
        If the file holds numbers that are not finite.
    """
    return load_with_metadata(path, classes)[0]


def load_with_metadata(path: str | os.PathLike[str], classes: Iterable[type] = ()) -> tuple[Any, Any]:
    """Return what `load` and `load_metadata` return, with the file read once."""
    classes = _as_classes(classes)
    content = read(path)
    with told_of(path):
        return _restore(content, classes), content.header.get("metadata")


def load_metadata(path: str | os.PathLike[str]) -> Any:
    """Return the metadata that `save` was given; None if there were none.

    Raises
    ------
    CheckpointError, ValueError, OSError
        As `load`.
    """
    return read(path).header.get("metadata")


def read(path: str | os.PathLike[str]) -> Content:
    """Read all that a file holds; errors as those of `load`."""
    in_format = format_of(path)
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise CheckpointError(f"{os.fspath(path)} is no regular file")
    with told_of(path), open(path, "rb", opener=open_at_once) as file:
        header, arrays = in_format.read(file, os.fstat(file.fileno()).st_size)
        if not isinstance(header, dict) or type(header.get("format")) is not int or header["format"] != 1:
            raise CheckpointError("its format is not one that this version of pynet knows")
        state = {name: array for name, array in arrays.items() if not name.startswith(_EXTRA)}
        extra = {name.removeprefix(_EXTRA): array for name, array in arrays.items() if name.startswith(_EXTRA)}
        return Content(header, state, extra)


@contextmanager
def told_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file in whatever goes wrong with its content."""
    try:
        yield
    except (OSError, MemoryError) as error:  # the system's fault, not the file's
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = os.fspath(path)
        raise
    except CheckpointError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from None
    except Exception as error:  # whatever a parser says of a file that is not what it should be
        raise CheckpointError(f"{os.fspath(path)} is damaged, or not what it should be: {error!s:.500}") from error


def _as_classes(classes: Any) -> list[type]:
    found = list(classes) if isinstance(classes, list | tuple | set | frozenset) else None
    if found is None or not all(isinstance(cls, type) for cls in found):
        raise TypeError(f"classes must be a list of classes, as in classes=[MyLayer], got {classes!r:.80}")
    return found


def _restore(content: Content, classes: list[type]) -> Any:
    header, state, _ = content
    numbers = sum(array.size for array in state.values())
    model = architecture.decode(header.get("architecture"), classes, numbers)
    modules, modes = protocol.modules(model), header.get("training")
    if not isinstance(modes, list) or len(modes) != len(modules) or not all(isinstance(mode, bool) for mode in modes):
        raise CheckpointError("it does not say for each module whether that is in training")
    arrays = protocol.all_parameters(model) + protocol.all_buffers(model)
    _require_shapes({parameter.name: parameter.array.shape for parameter in arrays}, state)
    _take_dtypes(arrays, state)
    model.load_state_dict(state)
    for (_, part), training in zip(modules, modes, strict=True):
        if hasattr(part, "training"):
            part.training = training
    _report_what_is_not_finite(state)
    return model


def _require_shapes(expected: dict[str, tuple[int, ...]], state: dict[str, Array]) -> None:
    """Raise if these are not the arrays of the model: before memory is taken for copies."""
    found = {name: array.shape for name, array in state.items()}
    wrong = [name for name in expected | found if expected.get(name) != found.get(name)]
    if wrong:
        name = wrong[0]
        raise CheckpointError(
            f"{name!r:.80} of its architecture has shape {expected.get(name)}, of its arrays {found.get(name)}"
        )


def _take_dtypes(arrays: list[protocol.Parameter], state: dict[str, Array]) -> None:
    """Convert those modules whose arrays are of another dtype in the file: a user's comes in the default one."""
    for name, array, _, owner in arrays:
        dtype = state[name].dtype.newbyteorder("=")
        ours = getattr(owner, "is_leaf", False)
        if dtype.kind == array.dtype.kind == "f" and dtype != array.dtype and (native_float(dtype) or not ours):
            protocol.convert(owner, dtype)


def _report_what_is_not_finite(state: dict[str, Array]) -> None:
    for name, array in state.items():
        if array.dtype.kind == "f" and array.size and not (np.isfinite(array.min()) and np.isfinite(array.max())):
            warnings.warn(f"{name!r} of the file holds numbers that are not finite", stacklevel=4)
