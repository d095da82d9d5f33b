"""Short names of activations, for where a text chooses one."""

from .elu import ELU
from .gelu import GELU
from .leaky_relu import LeakyReLU
from .mish import Mish
from .relu import ReLU
from .selu import SELU
from .silu import SiLU
from .softplus import Softplus
from .tanh import Tanh

ACTIVATIONS = {
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "selu": SELU,
    "gelu": GELU,
    "silu": SiLU,
    "mish": Mish,
    "softplus": Softplus,
}
