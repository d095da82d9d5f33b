"""The layers, one file each."""

from .activation import Activation
from .batch_norm import BatchNorm
from .columns import Columns
from .dropout import Dropout
from .elu import ELU
from .embedding import Embedding
from .flatten import Flatten
from .gelu import GELU
from .group_norm import GroupNorm
from .hardsigmoid import Hardsigmoid
from .hardswish import Hardswish
from .hardtanh import Hardtanh
from .identity import Identity
from .layer_norm import LayerNorm
from .leaky_relu import LeakyReLU
from .linear import Linear
from .log_sigmoid import LogSigmoid
from .log_softmax import LogSoftMax
from .mish import Mish
from .prelu import PReLU
from .relu import ReLU
from .relu6 import ReLU6
from .reshape import Reshape
from .rms_norm import RMSNorm
from .selu import SELU
from .sigmoid import Sigmoid
from .silu import SiLU
from .softmax import SoftMax
from .softplus import Softplus
from .softsign import Softsign
from .tanh import Tanh
from .unflatten import Unflatten

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "BatchNorm",
    "Columns",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftMax",
    "Mish",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "Reshape",
    "SiLU",
    "Sigmoid",
    "SoftMax",
    "Softplus",
    "Softsign",
    "Tanh",
    "Unflatten",
]
