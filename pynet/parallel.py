"""Parallel: modules side by side, whose outputs are added or put beside each other."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_input, native_float
from .checks import as_choice
from .container import Container, Run
from .errors import ShapeError, StateError
from .freezing import leaves_frozen
from .watched import Watched

if TYPE_CHECKING:
    from .compiled.plan import Plan

MERGES = ("sum", "cat")


def as_merge(value: Any, name: str) -> str:
    """Return how outputs are put together."""
    return as_choice(value, name, MERGES)


class Parallel(Container):
    """All modules get the same input; their outputs are added, or concatenated along the last axis.

    ``merge="sum"``: ``output = layers[0](input) + layers[1](input) + ...``; ``merge="cat"``: the outputs stand beside
    each other, ``output[..., :n0] = layers[0](input)`` and so on. Backward: each layer gets its part of
    ``grad_output``, and ``grad_input`` is the sum of what they return.

    Parameters
    ----------
    *layers : module
        Anything with ``forward(input)`` and ``backward(input, grad_output)``.
    merge : {"sum", "cat"}, default "sum"
        How the outputs are put together.

    Attributes
    ----------
    layers : list
        The modules; their names in a `state_dict` begin with their positions: ``0.weight``.

    Shapes
    ------
    Outputs of the layers: of one shape, or with ``"cat"`` of one shape but for the last axis.

    Raises
    ------
    ShapeError
        If the outputs' shapes do not go together.
    StateError
        If there are no layers.
    TypeError
        If a layer is no module.
    ValueError
        If ``merge`` is something else, or a container is put inside itself.

    Notes
    -----
    ``Parallel(Sequential(Columns([0]), Embedding(7, 3), Flatten()), Columns([1, 2]), merge="cat")`` puts embedded codes
    beside amounts. For what is kept between forward and backward see `Sequential`.
    """

    in_turn = False
    merge = Watched(as_merge, "How the outputs are put together.")

    def __init__(self, *layers: Any, merge: str = "sum") -> None:
        super().__init__(*layers)
        self.merge = merge

    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the layers' outputs, put together."""
        return self._run_and_keep(input)

    def _output_of(self, run: Run) -> Array:
        outputs = self._outputs(run)
        if self.merge == "cat":
            return np.concatenate(outputs, axis=-1)
        return functools.reduce(lambda a, b: np.asarray(a + b), outputs)

    @leaves_frozen
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return the sum of the gradients that the layers return for their parts of ``grad_output``."""
        run = self._run_at(input)
        parts = self._parts(grad_output, self._outputs(run))

        def backward(adding: bool) -> Array:
            grads = (self._backward_of(run, i, run.values[0], part, adding) for i, part in enumerate(parts))
            return functools.reduce(lambda a, b: np.asarray(a + b), grads)

        return self._summed(run, backward, accumulate)

    def add_to(self, plan: Plan) -> None:
        """Describe the layers to a compiled step."""
        plan.watch(self, "layers")
        plan.parallel(self.layers, self.merge)

    def _outputs(self, run: Run) -> list[Array]:
        outputs = [np.asarray(value) for value in run.values[1:]]
        if not outputs:
            raise StateError("Parallel has no layers, whose outputs could be put together")
        cat = self.merge == "cat"
        shapes = [output.shape[:-1] if cat else output.shape for output in outputs]
        for position, output in enumerate(outputs):
            if shapes[position] != shapes[0] or (cat and not output.ndim):
                wanted = 'all axes but the last must agree for merge="cat"' if cat else "they must agree to be added"
                raise ShapeError(
                    f"layers 0 and {position} of Parallel give shapes {outputs[0].shape} and {output.shape}: {wanted}"
                )
        return outputs

    def _parts(self, grad_output: Any, outputs: list[Array]) -> list[Array]:
        """Return the gradient at each output."""
        first, ends = outputs[0], np.cumsum([output.shape[-1] if output.ndim else 0 for output in outputs])
        shape = (*first.shape[:-1], int(ends[-1])) if self.merge == "cat" else first.shape
        grad = as_input(grad_output, "grad_output", native_float(np.result_type(*outputs)))
        if grad.shape != shape:
            raise ShapeError(f"grad_output has shape {grad.shape}, expected {shape}")
        return np.split(grad, ends[:-1], axis=-1) if self.merge == "cat" else [grad] * len(outputs)

    def __repr__(self) -> str:
        if self.merge == "sum":
            return super().__repr__()
        listed = super().__repr__().removesuffix(")")
        return f"{listed}  merge={self.merge!r}\n)" if self.layers else f"{listed}merge={self.merge!r})"

    def config(self) -> dict[str, Any]:
        """Return the layers and how their outputs are put together: what a file keeps of the architecture."""
        return super().config() | {"merge": self.merge}
