"""Loads the compiled part, wherever it is."""

import importlib
import os

import numpy  # noqa: F401, first: what follows is to concern our BLAS, not NumPy's


def load_core(path: list[str]) -> list[str]:
    """Import ``pynet._core``; return the package's path, in which it was found.

    While it loads, OpenBLAS, which it brings, is told to start no threads. They would never be used, since the pool
    splits the work, but cost 40 ms at import and exit, and memory.

    Raises
    ------
    ImportError
        If the compiled part is missing.
    """
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        return _import_core(path)
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _import_core(path: list[str]) -> list[str]:
    try:
        importlib.import_module("pynet._core")
    except ModuleNotFoundError as error:
        if error.name != "pynet._core":
            raise
        # In the repository root ./pynet, which has no compiled part, comes before the installed package: look there.
        from pkgutil import extend_path

        wider = list(extend_path(path, "pynet"))
        if wider == path:
            raise ImportError("pynet's compiled part is missing: run 'pip install .' in the repository root") from None
        path[:] = wider
        return _import_core(path)
    return path
