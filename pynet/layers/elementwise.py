"""What element-wise activations share: each is a pair of kernels, and the numbers that those take beside arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy.typing as npt

from ..arrays import Array
from ..module import Layer, named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Kernel(NamedTuple):
    """The functions of an activation: forward, backward, and how a plan takes it."""

    forward: Callable[..., Array]
    backward: Callable[..., Array]
    describe: Callable[..., None]


class Elementwise(Layer):
    """An activation that computes every element by itself; a subclass names its kernel and what this takes."""

    kernel: ClassVar[Kernel]

    def _kernel(self) -> Kernel:
        return self.kernel

    def _numbers(self) -> tuple[Any, ...]:
        return ()

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the formula's value for every element of ``input``."""
        self.output = output = self._kernel().forward(input, *self._numbers())
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output`` times the formula's derivative at every element of ``input``."""
        return self._kernel().backward(input, grad_output, *self._numbers())

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        self._kernel().describe(plan, *self._numbers())
