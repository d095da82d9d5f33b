"""A row per kernel: inputs, what pynet computes of them, the same exactly, in NumPy and in PyTorch, and the limit."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Row(NamedTuple):
    """Functions take the arrays that `make(random, size, dtype)` returns; `exact` and `scale` a module before them.

    Errors are in ULP of the result, or, where it is a difference or a long sum, in units of 2^-24 or 2^-53 of `scale`:
    the sum of the magnitudes of its terms, named by `unit`.
    """

    kernel: str
    inputs: str
    make: Callable[..., tuple[np.ndarray, ...]]
    pynet: Callable[..., Any]
    exact: Callable[..., Any]
    limits: tuple[float, float]  # float32, float64
    numpy: Callable[..., Any] | None = None
    torch: Callable[..., Any] | None = None  # torch, arrays -> tensor
    scale: Callable[..., Any] | None = None
    unit: str = "ULP"


def gradient(function):
    """PyTorch's gradient of sum(function(x) * g) at the first argument."""

    def run(torch, x, g, *rest):
        x = torch.tensor(x.numpy(), requires_grad=True)
        function(torch, x, *rest).backward(g)
        return x.grad

    return run
