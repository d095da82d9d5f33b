"""Short names of activations, for where a text chooses one."""

from .elu import ELU
from .gelu import GELU
from .hardsigmoid import Hardsigmoid
from .hardswish import Hardswish
from .hardtanh import Hardtanh
from .leaky_relu import LeakyReLU
from .log_sigmoid import LogSigmoid
from .mish import Mish
from .relu import ReLU
from .relu6 import ReLU6
from .selu import SELU
from .silu import SiLU
from .softplus import Softplus
from .softsign import Softsign
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
    "softsign": Softsign,
    "hardtanh": Hardtanh,
    "relu6": ReLU6,
    "hardsigmoid": Hardsigmoid,
    "hardswish": Hardswish,
    "logsigmoid": LogSigmoid,
}
