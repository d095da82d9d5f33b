"""Dropout silences random elements while a network trains."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, as_gradient, as_input
from ..checks import as_fraction
from ..errors import StateError
from ..modes import is_evaluating
from ..module import Layer, named
from ..random import Randomness, Seed
from ..replay import is_replaying

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Dropout(Layer):
    """In training, ``input / (1 - p)`` with probability 1 - p, else 0; in evaluation, the input itself.

    The factor keeps the expectation the same. The mask is a function of one 64-bit number, drawn at each training
    forward, and of the element's position: no number of threads changes it. A dropped infinity is 0.

    Parameters
    ----------
    p : float, default 0.5
        Probability that an element is dropped, 0 <= p < 1.
    seed : int or numpy.random.Generator, optional
        Where that number comes from; NumPy's global generator unless given.

    Attributes
    ----------
    mask : array of bool or None
        What the last training forward kept.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    Raises
    ------
    TypeError, ValueError
        If ``p`` is no number, or not in [0, 1); also when it is assigned.
    StateError
        If `backward` in training finds no mask, or one of another shape.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15, 2014. The generator is Philox4x32-10: Salmon, Moraes, Dror, Shaw, SC 2011.
    """

    def __init__(self, p: float = 0.5, *, seed: Seed = None) -> None:
        super().__init__()
        self._p = as_fraction(p, "p")
        self.mask: Array | None = None
        self._random = Randomness(seed)
        self._word: int | None = None

    @property
    def p(self) -> float:
        """Probability that an element is dropped."""
        return self._p

    @p.setter
    def p(self, p: Any) -> None:
        self._p = as_fraction(p, "p")
        _core.structure_changed()

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the input with a new mask drawn and applied; in evaluation the input itself."""
        output = as_input(input, "input")
        if self.training and not is_evaluating():
            if is_replaying():
                output = self._masked(output)
            else:
                output, self.mask = _core.dropout_forward(output, self._draw, self._p)
        self.output = output
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output / (1 - p)`` where the last forward's mask is True, else 0; in evaluation itself."""
        grad = as_gradient(grad_output, as_input(input, "input"))
        return self._masked(grad) if self.training else grad

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.watch_mode(self)
        if plan.training(self):
            plan.dropout(self._p, self._draw)

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return one product for each element in training, nothing in evaluation; the generator computes in ints."""
        products = math.prod(input_shape) if self.training else 0
        return products, products

    def _draw(self) -> int:
        word, self._word = self._word, None
        return self._random.word() if word is None else word

    def _draw_again(self, word: int | None) -> None:
        """Have the next draw be this number: a step that came to nothing is computed again."""
        self._word = word

    def _masked(self, array: Array) -> Array:
        if self.mask is None:
            raise StateError("there is no mask yet, call forward in training mode first")
        if np.shape(self.mask) != array.shape:
            raise StateError(
                f"the mask of the last forward has shape {np.shape(self.mask)}, expected {array.shape}: "
                "call forward on this input first"
            )
        return _core.dropout_backward(array, np.require(self.mask, np.bool_, ["C", "A"]), self._p)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return state if is_replaying() else state | {"mask": None, "_word": None}
