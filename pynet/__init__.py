"""pynet: neural networks on NumPy arrays, with kernels in C++.

Modules go ``forward(input)`` and ``backward(input, grad_output)``, by hand and in the open; criteria measure,
optimizers move. See the README for a first example.
"""

from .loading import load_core as _load_core

__path__ = _load_core(__path__)

from . import callbacks, criteria, data, init, layers, metrics, optim, plot, testing
from .arrays import get_default_dtype, set_default_dtype
from .compiled import OnlineLearner, compile_predict, compile_step
from .config import get_num_threads, set_num_threads, show_config
from .criteria import (
    MSE,
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropy,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    PinballLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
)
from .criterion import Criterion
from .errors import CheckpointError, DivergedError, GradientError, ShapeError, StateError
from .hooks import capture
from .inspection import profile, summary, trace_nan
from .layers import (
    ELU,
    GELU,
    SELU,
    Activation,
    BatchNorm,
    Columns,
    Dropout,
    Embedding,
    Flatten,
    GroupNorm,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Identity,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSigmoid,
    LogSoftMax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Reshape,
    RMSNorm,
    Sigmoid,
    SiLU,
    SoftMax,
    Softplus,
    Softsign,
    Tanh,
    Unflatten,
)
from .module import Module
from .parallel import Parallel
from .residual import Residual
from .saving import load, load_metadata, save
from .sequential import Sequential
from .torch_conversion import from_torch, to_torch
from .training import History, Trainer

__version__ = "0.1.0"

__all__ = [
    "ELU",
    "GELU",
    "MSE",
    "SELU",
    "Activation",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm",
    "CheckpointError",
    "Columns",
    "Criterion",
    "CrossEntropy",
    "CrossEntropyLoss",
    "DivergedError",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNLLLoss",
    "GradientError",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "History",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftMax",
    "MSELoss",
    "Mish",
    "Module",
    "NLLLoss",
    "OnlineLearner",
    "PReLU",
    "Parallel",
    "PinballLoss",
    "PoissonNLLLoss",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "Reshape",
    "Residual",
    "Sequential",
    "ShapeError",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "SoftMax",
    "Softplus",
    "Softsign",
    "StateError",
    "Tanh",
    "Trainer",
    "Unflatten",
    "callbacks",
    "capture",
    "compile_predict",
    "compile_step",
    "criteria",
    "data",
    "from_torch",
    "get_default_dtype",
    "get_num_threads",
    "init",
    "layers",
    "load",
    "load_metadata",
    "metrics",
    "optim",
    "plot",
    "profile",
    "save",
    "set_default_dtype",
    "set_num_threads",
    "show_config",
    "summary",
    "testing",
    "to_torch",
    "trace_nan",
]


def __dir__() -> list[str]:
    """Return what is meant to be seen, not the modules that it lies in."""
    return sorted([*__all__, "__version__"])
