"""The layers, one file each."""

from .batch_norm import BatchNorm
from .dropout import Dropout
from .flatten import Flatten
from .identity import Identity
from .leaky_relu import LeakyReLU
from .linear import Linear
from .log_softmax import LogSoftMax
from .relu import ReLU
from .sigmoid import Sigmoid
from .softmax import SoftMax
from .tanh import Tanh

__all__ = [
    "BatchNorm",
    "Dropout",
    "Flatten",
    "Identity",
    "LeakyReLU",
    "Linear",
    "LogSoftMax",
    "ReLU",
    "Sigmoid",
    "SoftMax",
    "Tanh",
]
