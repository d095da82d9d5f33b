"""pynet: neural networks on NumPy arrays, with kernels in C++.

Modules go ``forward(input)`` and ``backward(input, grad_output)``, by hand and in the open; criteria measure,
optimizers move. See the README for a first example.
"""

from pkgutil import extend_path as _extend_path

# In the repository root ./pynet, which has no compiled part, comes before the installed package: look in both.
__path__ = _extend_path(__path__, __name__)

try:
    import pynet._core  # noqa: F401
except ModuleNotFoundError as _error:
    if _error.name != f"{__name__}._core":
        raise
    raise ImportError("pynet's compiled part is missing: run 'pip install .' in the repository root") from None

from . import criteria, data, layers, optim, testing
from .arrays import get_default_dtype, set_default_dtype
from .config import get_num_threads, set_num_threads, show_config
from .criteria import MSE, CrossEntropy, CrossEntropyLoss, MSELoss
from .criterion import Criterion
from .errors import CheckpointError, GradientError, ShapeError, StateError
from .layers import BatchNorm, Dropout, LeakyReLU, Linear, LogSoftMax, ReLU, Sigmoid, SoftMax, Tanh
from .module import Module
from .saving import load, save
from .sequential import Sequential

__version__ = "0.1.0"

__all__ = [
    "MSE",
    "BatchNorm",
    "CheckpointError",
    "Criterion",
    "CrossEntropy",
    "CrossEntropyLoss",
    "Dropout",
    "GradientError",
    "LeakyReLU",
    "Linear",
    "LogSoftMax",
    "MSELoss",
    "Module",
    "ReLU",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "SoftMax",
    "StateError",
    "Tanh",
    "criteria",
    "data",
    "get_default_dtype",
    "get_num_threads",
    "layers",
    "load",
    "optim",
    "save",
    "set_default_dtype",
    "set_num_threads",
    "show_config",
    "testing",
]
