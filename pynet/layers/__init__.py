"""The layers, one file each."""

from .batch_norm import BatchNorm
from .columns import Columns
from .dropout import Dropout
from .embedding import Embedding
from .flatten import Flatten
from .group_norm import GroupNorm
from .identity import Identity
from .layer_norm import LayerNorm
from .leaky_relu import LeakyReLU
from .linear import Linear
from .log_softmax import LogSoftMax
from .relu import ReLU
from .reshape import Reshape
from .rms_norm import RMSNorm
from .sigmoid import Sigmoid
from .softmax import SoftMax
from .tanh import Tanh
from .unflatten import Unflatten

__all__ = [
    "BatchNorm",
    "Columns",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftMax",
    "RMSNorm",
    "ReLU",
    "Reshape",
    "Sigmoid",
    "SoftMax",
    "Tanh",
    "Unflatten",
]
