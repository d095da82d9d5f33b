"""Sequential: modules one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy.typing as npt

from .arrays import Array, as_gradient, as_input
from .container import Container, Run
from .freezing import leaves_frozen

if TYPE_CHECKING:
    from .compiled.plan import Plan


class Sequential(Container):
    """Modules one after another: ``y[0] = layers[0](input)``, ``y[i] = layers[i](y[i - 1])``.

    Parameters
    ----------
    *layers : module
        Anything with ``forward(input)`` and ``backward(input, grad_output)``; a Sequential too. Without any, the input
        comes out as it is. One module may stand twice: its gradients then add up within one backward.

    Attributes
    ----------
    layers : list
        The modules.

    Shapes
    ------
    Those of the first layer's input and of the last one's output.

    Raises
    ------
    TypeError
        If a layer is no module.
    ValueError
        If a Sequential is put inside itself.

    Notes
    -----
    `backward` uses the intermediate results of the last `forward` if it is given the very array that forward was given,
    and otherwise computes them anew, without moving statistics, drawing masks or touching anybody's ``output``. Whoever
    writes into an input or an intermediate output in between must call forward again.
    """

    def forward(self, input: npt.ArrayLike) -> Array:
        """Run the layers from first to last; return the last output."""
        return self._run_and_keep(input)

    def _output_of(self, run: Run) -> Array:
        return run.values[-1] if run.layers else as_input(run.values[0], "input")

    @leaves_frozen
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Run the layers' backward from last to first; return the gradient with respect to ``input``."""
        if not self.layers:
            return as_gradient(grad_output, as_input(input, "input"))
        run = self._run_at(input)
        return self._summed(run, lambda adding: self._backward_in_turn(run, grad_output, adding), accumulate)

    def add_to(self, plan: Plan) -> None:
        """Describe the layers to a compiled step."""
        plan.watch(self, "layers")
        for position, layer in enumerate(self.layers):
            plan.add(layer, position)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Any:
        """Return one layer, or for a slice a Sequential of the same layers."""
        if not isinstance(index, slice):
            return self.layers[index]
        part = Sequential(*self.layers[index])
        part.training = self.training
        return part
