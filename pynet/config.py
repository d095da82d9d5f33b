"""What pynet runs on: threads, instruction set, BLAS."""

import numpy as np

from . import _core
from .arrays import get_default_dtype
from .checks import as_size


def set_num_threads(count: int) -> None:
    """Let at most ``count`` threads work on one call, from the next call on.

    From the start it is ``PYNET_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the number of CPUs that affinity and
    cgroup limits leave to the process. Results do not depend on it.

    Raises
    ------
    TypeError, ValueError
        If ``count`` is no int, or less than 1.
    """
    _core.set_num_threads(as_size(count, "count", smallest=1))


def get_num_threads() -> int:
    """Return how many threads may work on one call."""
    return _core.num_threads()


def show_config() -> str:
    """Return what pynet runs on, a line each, to print or to put into a bug report."""
    import platform

    from . import __version__

    rows = {
        "pynet": f"{__version__} ({_core.__file__})",
        "instruction set": f"{_core.isa()} (of baseline, v3 = AVX2, v4 = AVX-512; PYNET_ISA forces a lower one)",
        "BLAS": f"{_core.blas()}, one thread per call",
        "threads": str(get_num_threads()),
        "default dtype": str(get_default_dtype()),
        "NumPy": np.__version__,
        "Python": f"{platform.python_version()} on {platform.platform()}",
    }
    return "\n".join(f"{name + ':':<17}{text}" for name, text in rows.items())
