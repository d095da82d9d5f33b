"""A module under examination: made anew for every check, always at the same point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import protocol
from ..arrays import Array
from .weights import mixed_weights


class Subject:
    """How to make a module, an input, and a gradient at its output; each time another copy, for it may be spoilt."""

    def __init__(self, make: Callable[[], Any], input: Array) -> None:
        self.make, self._input = make, input.copy()
        module = self.module()
        self._takes_indices = any(getattr(part, "takes_indices", False) for _, part in protocol.modules(module))
        output = module.forward(self.input)
        if not isinstance(output, np.ndarray):
            raise TypeError(f"forward must return an array, got {type(output).__name__}")
        self.output_shape = output.shape
        self._grad_output = mixed_weights(output.shape)

    @property
    def input(self) -> Array:
        """Where it is checked."""
        return self._input.copy()

    @property
    def other_input(self) -> Array:
        """Another input of its shape; indices may not be moved, only exchanged."""
        return np.flip(self._input).copy() if self._takes_indices else self._input + 1

    @property
    def grad_output(self) -> Array:
        """What each output counts."""
        return self._grad_output.copy()

    def module(self, dtype: npt.DTypeLike = np.float64) -> Any:
        """Return a new module, always the same one."""
        np.random.seed(0)
        module = self.make()
        protocol.convert(module, np.dtype(dtype))
        return module

    def run(self, module: Any, input: Array | None = None, grad_output: Array | None = None) -> dict[str, Array]:
        """Return the results of one forward and backward, by name, always from the same random numbers."""
        x = self.input if input is None else input
        np.random.seed(1)
        output = module.forward(x)
        return {"output": np.array(output)} | self.backward(module, x, grad_output)

    def backward(
        self, module: Any, x: Array, grad_output: Array | None = None, accumulate: bool = False
    ) -> dict[str, Array]:
        """Return the gradients, by name."""
        grad = self.grad_output if grad_output is None else grad_output
        found = protocol.backward(module, x, grad, accumulate)
        if not isinstance(found, np.ndarray):
            raise TypeError(f"backward must return an array, got {type(found).__name__}")
        return {"grad_input": np.array(found)} | gradients(module)


def gradients(module: Any) -> dict[str, Array]:
    """Return copies of the gradients, by their parameters' names."""
    return {f"gradient of {p.name}": np.array(p.gradient_or_zeros) for p in protocol.all_parameters(module)}


def state(module: Any) -> dict[str, Array]:
    """Return copies of parameters and buffers, by name."""
    return {p.name: np.array(p.array) for p in protocol.all_parameters(module) + protocol.all_buffers(module)}


def parameters(module: Any) -> dict[str, Array]:
    """Return copies of the parameters, by name."""
    return {p.name: np.array(p.array) for p in protocol.all_parameters(module)}


def everything(module: Any) -> dict[str, Array]:
    """Return copies of all that a failing call must leave as it was."""
    return state(module) | gradients(module)


def unlisted(module: Any) -> list[tuple[type, str]]:
    """Return class and name of each attribute that is an array, but no parameter, gradient or buffer."""
    listed = protocol.all_parameters(module) + protocol.all_buffers(module)
    known = [array for parameter in listed for array in (parameter.array, parameter.gradient) if array is not None]
    return [
        (type(part), name)
        for _, part in protocol.modules(module)
        for name, value in protocol.attributes_of(part).items()
        if isinstance(value, np.ndarray) and not any(np.may_share_memory(value, array) for array in known)
    ]


def rounding(want: Array) -> float:
    """Return how far results may differ that were computed in another order."""
    return float(1e-9 * np.max(np.abs(want), initial=1e-3))


def require_equal(got: dict[str, Array], want: dict[str, Array], when: str = "", exact: bool = False) -> float:
    """Raise AssertionError, naming the worst number, unless the arrays are equal, up to rounding; return how far off.

    Parameters
    ----------
    got, want : dict of str to array
        Names and arrays.
    when : str
        What stands in front of the message.
    exact : bool
        Whether rounding counts too.
    """
    worst = 0.0
    for name, expected in want.items():
        if name not in got:
            raise AssertionError(f"{when}{name} is gone")
        array = got[name]
        if array.shape != expected.shape:
            raise AssertionError(f"{when}{name}: expected shape {expected.shape}, got {array.shape}")
        if not array.size or (array.dtype == expected.dtype and array.tobytes() == expected.tobytes()):
            continue
        with np.errstate(invalid="ignore"):
            error = np.where(np.isnan(expected) & np.isnan(array), 0, np.abs(np.subtract(array, expected, dtype=float)))
        place = np.unravel_index(np.argmax(error), error.shape)  # a NaN is worst
        worst = max(worst, float(error[place]))
        if exact or not error[place] <= rounding(expected):
            index = f"[{', '.join(map(str, place))}]" if place else ""
            raise AssertionError(f"{when}{name}{index}: expected {expected[place]:.10g}, got {array[place]:.10g}")
    return worst
