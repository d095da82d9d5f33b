"""What a call of a module must at least cost: floating-point operations, and bytes moved."""

from typing import Any

import numpy as np

from ..module import Layer, Module
from ..places import own_parameters
from ..protocol import is_ours


def flops(module: Any, input_shape: tuple[int, ...]) -> tuple[int, int]:
    """Return a module's ``flops(input_shape)``, of forward and backward; zeros if it does not say."""
    own = getattr(module, "flops", None)
    if not callable(own):
        return 0, 0
    forward, backward = own(input_shape)
    return int(forward), int(backward)


def says_flops(module: Any) -> bool:
    """Whether a module says how many operations it does: all of ours, and a user's by ``flops`` or ``operations``."""
    if any(is_ours(cls) and cls not in (Module, Layer) for cls in type(module).__mro__):
        return True
    own = getattr(module, "flops", None)
    return callable(own) and (getattr(own, "__func__", own) is not Module.flops or any(module.operations))


def parameter_bytes(module: Any) -> int:
    """Return the bytes of a module's own parameters."""
    return sum(parameter.array.nbytes for parameter in own_parameters(module))


def forward_bytes(module: Any, input: Any, output: Any) -> int:
    """Return what a forward must read and write: input, parameters, output."""
    return _nbytes(input, output) + parameter_bytes(module)


def backward_bytes(module: Any, input: Any, grad_output: Any, grad_input: Any) -> int:
    """Return what a backward must read and write: input, grad_output, grad_input, parameters and their gradients."""
    return _nbytes(input, grad_output, grad_input) + 2 * parameter_bytes(module)


def _nbytes(*arrays: Any) -> int:
    return sum(np.asarray(array).nbytes for array in arrays)
