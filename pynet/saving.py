"""Saving and loading models: architecture and weights in one file, of which nothing is ever run."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import numpy as np

from . import architecture, protocol
from .arrays import Array
from .errors import CheckpointError
from .module import Module

__all__ = ["load", "load_metadata", "save"]

_HEADER = "pynet"  # the entry that holds the architecture
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
        Ends in ``.npz`` (NumPy's format, nothing else needed) or ``.safetensors`` (needs ``pynet[train]``).
    metadata : dict, list, str, number, bool or None
        Whatever belongs to the model, such as names of classes: what JSON can hold. `load_metadata` returns it.

    Raises
    ------
    ValueError
        If the ending is another one, or a number in ``metadata`` is not finite.
    TypeError
        If the model is no `pynet.Module`, or holds a constructor's argument that a file cannot keep; if ``metadata`` is
        nothing that JSON can hold.
    ImportError
        If the safetensors library is missing.
    OSError
        If the file cannot be written.
    """
    write(model, path, metadata, {})


def write(model: Module, path: str | os.PathLike[str], metadata: Any, extra: Mapping[str, Array]) -> None:
    """Write a model, metadata, and arrays of other names than the model's: see `save`."""
    import json

    if not isinstance(model, Module):
        raise TypeError(f"model must be a pynet.Module, got {type(model).__name__}")
    in_format = _format(path, {".npz": _write_npz, ".safetensors": _write_safetensors})
    modes = [bool(getattr(part, "training", True)) for _, part in protocol.modules(model)]
    header = {"format": 1, "architecture": architecture.encode(model), "training": modes}
    try:
        json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"metadata must be what JSON can hold: {error}") from None
    text = json.dumps(header | {"metadata": metadata}, allow_nan=False)
    arrays = model.state_dict() | {_EXTRA + name: np.asarray(array, order="C") for name, array in extra.items()}
    _replace(path, lambda file: in_format(file, text, arrays))


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
    ImportError
        If the safetensors library is missing.
    OSError
        If the file cannot be read.
    """
    return load_with_metadata(path, classes)[0]


def load_with_metadata(path: str | os.PathLike[str], classes: Iterable[type] = ()) -> tuple[Any, Any]:
    """Return what `load` and `load_metadata` return, with the file read once."""
    classes = _as_classes(classes)
    content = read(path)
    with _told_of(path):
        return _restore(content, classes), content.header.get("metadata")


def load_metadata(path: str | os.PathLike[str]) -> Any:
    """Return the metadata that `save` was given; None if there were none.

    Raises
    ------
    CheckpointError, ValueError, ImportError, OSError
        As `load`.
    """
    return read(path).header.get("metadata")


def read(path: str | os.PathLike[str]) -> Content:
    """Read all that a file holds; errors as those of `load`."""
    in_format = _format(path, {".npz": _read_npz, ".safetensors": _read_safetensors})
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise CheckpointError(f"{os.fspath(path)} is no regular file")
    with _told_of(path):
        text, arrays = in_format(os.fspath(path))
        state = {name: array for name, array in arrays.items() if not name.startswith(_EXTRA)}
        extra = {name.removeprefix(_EXTRA): array for name, array in arrays.items() if name.startswith(_EXTRA)}
        return Content(_parse(text), state, extra)


@contextmanager
def _told_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file in whatever goes wrong with its content."""
    try:
        yield
    except (CheckpointError, ImportError, PermissionError) as error:
        raise type(error)(f"{os.fspath(path)}: {error}") from None
    except Exception as error:  # whatever a parser says of a file that is not what it should be
        raise CheckpointError(f"{os.fspath(path)} is damaged, or not one of pynet's: {error}") from error


def _as_classes(classes: Any) -> list[type]:
    found = list(classes) if isinstance(classes, list | tuple | set | frozenset) else None
    if found is None or not all(isinstance(cls, type) for cls in found):
        raise TypeError(f"classes must be a list of classes, as in classes=[MyLayer], got {classes!r:.80}")
    return found


def _parse(text: str) -> dict[str, Any]:
    import json

    header = json.loads(text)
    if not isinstance(header, dict) or header.get("format") != 1:
        raise CheckpointError("its format is not one that this version of pynet knows")
    return header


def _restore(content: Content, classes: list[type]) -> Any:
    header, state, _ = content
    numbers = sum(array.size for array in state.values())
    model = architecture.decode(header.get("architecture"), classes, numbers)
    _take_dtypes(model, state)
    model.load_state_dict(state)
    for (_, part), training in zip(protocol.modules(model), header["training"], strict=True):
        if hasattr(part, "training"):
            part.training = bool(training)
    return model


def _take_dtypes(model: Any, state: dict[str, Array]) -> None:
    """Convert those modules whose arrays are of another dtype in the file: a user's comes in the default one."""
    for name, array, _, owner in protocol.all_parameters(model) + protocol.all_buffers(model):
        stored = state.get(name)
        if stored is not None and stored.dtype.kind == array.dtype.kind == "f" and stored.dtype != array.dtype:
            protocol.convert(owner, stored.dtype)


def _format(path: str | os.PathLike[str], formats: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    found = formats.get(os.path.splitext(path)[1])
    if found is None:
        raise ValueError(f"path must end in {' or '.join(formats)}, got {os.fspath(path)!r}")
    return found


def _write_npz(file: IO[bytes], header: str, state: dict[str, Array]) -> None:
    # A name like 'file' is an argument of np.savez itself; the prefix keeps parameters out of its way.
    arrays = {f"state/{name}": array for name, array in state.items()}
    np.savez(file, allow_pickle=False, **{_HEADER: np.frombuffer(header.encode(), np.uint8)}, **arrays)


def _read_npz(path: str) -> tuple[str, dict[str, Array]]:
    import io
    import zipfile

    with open(path, "rb") as file:
        content = io.BytesIO(file.read())  # nobody can change it while it is read
    with zipfile.ZipFile(content) as archive:
        for entry in archive.infolist():
            # np.savez stores entries as they are; a compressed one could grow beyond all bounds.
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > content.getbuffer().nbytes:
                raise CheckpointError(f"entry {entry.filename!r} is compressed or larger than the file")
    with np.load(content, allow_pickle=False) as archive:
        if _HEADER not in archive.files:
            raise CheckpointError("it holds no architecture: was it written by pynet.save?")
        header = archive[_HEADER].tobytes().decode()
        return header, {
            name.removeprefix("state/"): archive[name] for name in archive.files if name.startswith("state/")
        }


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "'.safetensors' files need a library: pip install 'pynet[train]'; '.npz' needs none"
        ) from error
    return safetensors


def _write_safetensors(file: IO[bytes], header: str, state: dict[str, Array]) -> None:
    # The library writes strided arrays as if they were contiguous: state_dict() returns contiguous copies.
    file.write(_safetensors().numpy.save(state, metadata={_HEADER: header}))


def _read_safetensors(path: str) -> tuple[str, dict[str, Array]]:
    library = _safetensors()
    try:
        with library.safe_open(path, "numpy") as file:
            header = (file.metadata() or {}).get(_HEADER)
            if header is None:
                raise CheckpointError("it holds no architecture: was it written by pynet.save?")
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except library.SafetensorError as error:
        raise CheckpointError(f"it is damaged, or no safetensors file: {error}") from error


def _replace(path: str | os.PathLike[str], write: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside ``path`` and put it in its place; after an error the old one is as it was."""
    import threading

    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no folder {folder!r} to save {name!r} in")
    new = os.path.join(folder, f".pynet-{os.getpid()}-{threading.get_ident()}.new")
    try:
        with open(new, "wb") as file:
            write(file)
            file.flush()
            if os.path.exists(target):
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(target).st_mode))
            os.fsync(file.fileno())
        os.replace(new, target)
    except BaseException:
        if os.path.exists(new):
            os.unlink(new)
        raise
    entry = os.open(folder, os.O_RDONLY)  # the new name is safe once the folder is written too
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
