"""pynet: neural networks on NumPy arrays, with kernels in C++.

Modules go ``forward(input)`` and ``backward(input, grad_output)``, by hand and in the open; criteria measure,
optimizers move. See the README for a first example.
"""

from .loading import load_core as _load_core

__path__ = _load_core(__path__)

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


def __dir__() -> list[str]:
    """Return what is meant to be seen, not the modules that it lies in."""
    return sorted([*__all__, "__version__"])
