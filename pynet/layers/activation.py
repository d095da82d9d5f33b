"""Activation makes a layer of two NumPy functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy.typing as npt

from ..arrays import Array, as_gradient, as_input
from ..errors import ShapeError
from ..module import Layer, named
from ..watched import Watched


def _as_function(value: Any, name: str) -> Callable[[Array], npt.ArrayLike]:
    if not callable(value):
        raise TypeError(f"{name} must be a function of an array, got {value!r:.80}")
    function: Callable[[Array], npt.ArrayLike] = value
    return function


class Activation(Layer):
    """``f(x)``, with ``df(x)`` as its derivative: an activation of one's own, computed by NumPy.

    The functions get the whole input, an array that they must not write into, and return one of its shape. They are not
    compiled: a network that holds one runs module by module. Copies and pickles are possible where the functions can be
    pickled, which lambdas cannot; `pynet.save` cannot keep functions.

    Parameters
    ----------
    f : function
        The activation, of an array.
    df : function
        Its derivative, element by element; `pynet.testing.gradcheck` tells whether it is.

    Shapes
    ------
    input (...), output (...): any number of axes; float32 and float64 are kept.

    Raises
    ------
    TypeError
        If ``f`` or ``df`` is no function, also when it is assigned; if it returns no numbers.
    ShapeError
        If ``f`` or ``df`` returns another shape than its input's.
    """

    operations = (1, 2)  # f; df and a product

    f = Watched(_as_function, "The activation.")
    df = Watched(_as_function, "Its derivative.")

    def __init__(self, f: Callable[[Array], npt.ArrayLike], df: Callable[[Array], npt.ArrayLike]) -> None:
        super().__init__()
        self.f, self.df = f, df

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return ``f(input)``."""
        self.output = output = _applied(self.f, "f", as_input(input, "input"))
        return output

    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return ``grad_output * df(input)``."""
        at = as_input(input, "input")
        gradient: Array = as_gradient(grad_output, at) * _applied(self.df, "df", at)
        return gradient

    def config(self) -> NoReturn:
        """Raise: functions are code, which a file cannot keep."""
        raise TypeError(
            "an Activation's functions are code, which a file cannot keep: save the model's state_dict(), or define a "
            "class with f and df as its forward and backward, which pynet.load(path, classes=[...]) admits"
        )

    def __repr__(self) -> str:
        return f"Activation({', '.join(getattr(each, '__name__', repr(each)) for each in (self.f, self.df))})"


def _applied(function: Callable[[Array], npt.ArrayLike], name: str, x: Array) -> Array:
    result = as_input(function(x), f"what {name} returns", x.dtype)
    if result.shape != x.shape:
        raise ShapeError(f"{name} returns an array of shape {result.shape}, expected {x.shape} as input")
    return result
