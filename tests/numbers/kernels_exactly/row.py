"""A row per kernel: inputs, what pynet computes of them, the same exactly, in NumPy and in PyTorch, and the limit."""

import math
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
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


# ------------------------------------------------------------------------------- formulas that are written down once

# What NumPy makes of a formula as one writes it; its numbers are Python's, so that float32 stays float32.
AS_WRITTEN = SimpleNamespace(
    exp=np.exp,
    log=np.log,
    log1p=np.log1p,
    expm1=np.expm1,
    tanh=np.tanh,
    sqrt=lambda x: math.sqrt(x) if isinstance(x, float) else np.sqrt(x),
    pi=math.pi,
)


def constant(m, number):
    """A number of the formula: exactly the float64 that it is."""
    return number if m is AS_WRITTEN else m.number(np.array(number))[()]


TERMS = "u Σ|terms|"


def row_of_terms(kernel, inputs, make, ours, terms, limits, theirs, unit="ULP", in_numpy=True):
    """The row of a result that is the sum of `terms(m, *arrays)`, whose magnitudes are the unit if it is not ULP.

    NumPy's column is that formula as it is written, or one of its own, or none.
    """

    def exact(m, *arrays):
        return sum(terms(m, *arrays))

    def magnitudes(m, *arrays):
        return sum(map(np.abs, terms(m, *arrays)))

    written = partial(exact, AS_WRITTEN) if in_numpy is True else in_numpy or None
    scale = None if unit == "ULP" else magnitudes
    return Row(kernel, inputs, make, ours, exact, limits, written, theirs, scale, unit)
