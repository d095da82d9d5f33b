"""Replacing a file: there is the old one or the new one, whatever happens in between."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

_NAME = re.compile(r"\.pynet-[0-9a-f]{16}\.new")


def replace(path: str | os.PathLike[str], write: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside ``path``, flush it to the disk, and put it in its place; after an error the old one is there.

    The new one has the old one's mode and, where that is allowed, its owner. What is left of a process that was killed
    while it wrote is removed by the next one that writes to this folder.

    Raises
    ------
    OSError
        If the file cannot be written, or ``path`` is something else than a file.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    if not _is_folder(folder):
        raise FileNotFoundError(f"there is no folder {folder!r} to save {name!r} in")
    old = _status(target)
    _remove_what_was_left(folder)
    with _new_file(folder) as (new, file):
        write(file)
        file.flush()
        if old is not None:
            with suppress(PermissionError):
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
        os.fsync(file.fileno())
        os.replace(new, target)
    _flush_folder(folder)  # the new name is safe once the folder is written too


def _is_folder(path: str) -> bool:
    """Whether there is a folder; raise PermissionError where nobody may look."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _status(target: str) -> os.stat_result | None:
    """Return what is known of a file; None if there is none."""
    try:
        status = os.lstat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):  # what realpath leaves of links that lead nowhere
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), target)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is no regular file", target)
    return status


@contextmanager
def _new_file(folder: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Give the name of a new file and the file, locked while it is open; after an error there is none."""
    while True:
        name = os.path.join(folder, f".pynet-{os.urandom(8).hex()}.new")
        with open(name, "xb") as file:
            try:
                with suppress(OSError):  # there are file systems without locks
                    fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_nlink == 0:
                    continue  # somebody took it for one that was left, before it was locked
                yield name, file
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(name)
                raise
            return


def _remove_what_was_left(folder: str) -> None:
    """Remove the new files of processes that are no more: those that nobody has locked."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                _remove_unless_locked(entry.path)


def _remove_unless_locked(name: str) -> None:
    with suppress(OSError), open(name, "rb", opener=open_at_once) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(name)


def open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting, as one would at a FIFO for somebody who writes; for ``open(..., opener=)``."""
    return os.open(path, flags | os.O_NONBLOCK)


def _flush_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
