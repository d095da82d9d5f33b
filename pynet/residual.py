"""Residual: modules one after another, whose input is added to what they give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_gradient, as_input, native_float
from .container import Container, Run
from .errors import ShapeError
from .freezing import leaves_frozen

if TYPE_CHECKING:
    from .compiled.plan import Plan


class Residual(Container):
    """``output = input + layers(input)``: what the modules give is added to what they were given.

    Backward: ``grad_input = grad_output + layers.backward(input, grad_output)``.

    Parameters
    ----------
    *layers : module
        One module, or several that follow one another as in a `Sequential`. Without any, the output is twice the input.

    Attributes
    ----------
    layers : list
        The modules; their names in a `state_dict` begin with their positions: ``0.weight``.

    Shapes
    ------
    input and output are of one shape, and so must be what the modules give.

    Raises
    ------
    ShapeError
        If the modules give another shape than they were given.
    TypeError
        If a layer is no module.
    ValueError
        If a container is put inside itself.

    Notes
    -----
    The input is converted to the dtype of what the modules give: their parameters decide. For all else, such as what is
    kept between forward and backward, see `Sequential`.

    References
    ----------
    He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016.
    """

    operations = (1, 1)  # without those of the modules that it holds

    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the input plus what the layers make of it."""
        return self._run_and_keep(input)

    def _output_of(self, run: Run) -> Array:
        return np.asarray(np.add(*_both(run)))

    @leaves_frozen
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output`` plus the gradient of the layers."""
        run = self._run_at(input)
        grad = as_gradient(grad_output, _both(run)[0])

        def backward(adding: bool) -> Array:
            return np.asarray(grad + self._backward_in_turn(run, grad, adding))

        return self._summed(run, backward, accumulate)

    def add_to(self, plan: Plan) -> None:
        """Describe the layers to a compiled step."""
        plan.watch(self, "layers")
        with plan.residual():
            for position, layer in enumerate(self.layers):
                plan.add(layer, position)


def _both(run: Run) -> tuple[Array, Array]:
    """Return the input and what the layers made of it, of one shape and dtype."""
    if not run.layers:
        given = as_input(run.values[0], "input")
        return given, given
    output = np.asarray(run.values[-1])
    given = as_input(run.values[0], "input", native_float(output.dtype))
    if output.shape != given.shape:
        raise ShapeError(
            f"the layers of Residual give shape {output.shape} for an input of shape {given.shape}: "
            "they must be the same to be added"
        )
    return given, output
