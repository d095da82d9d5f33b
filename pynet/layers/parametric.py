"""What layers with arrays of their own share: one dtype, and arrays that stay the same objects."""

from operator import attrgetter
from typing import Any

import numpy as np

from ..arrays import Array, as_parameter
from ..module import Layer
from ..protocol import as_converted


class Parametric(Layer):
    """A layer whose arrays lie in attributes ``_name`` for every name in `array_names`, all of one dtype."""

    array_names: tuple[str, ...] = ()

    def _assign(self, name: str, shown: str, value: object) -> None:
        current: Array | None = getattr(self, f"_{name}")
        if current is None:
            raise ValueError(f"{self!r} has no {shown}")
        array = as_parameter(value, shown, current.shape)
        if array.dtype != current.dtype:
            if name in self.parameter_names and isinstance(value, np.ndarray) and value.dtype.kind == "f":
                self._convert(array.dtype, {})  # the parameters decide: the layer's other arrays follow
            else:
                array = array.astype(current.dtype)
        setattr(self, f"_{name}", array)

    def _convert(self, dtype: np.dtype[Any], converted: dict[int, Array]) -> None:
        for name in self.array_names:
            array: Array | None = getattr(self, f"_{name}")
            if array is not None:
                setattr(self, f"_{name}", as_converted(array, dtype, converted))


def array_attribute(name: str, shown: str, doc: str) -> property:
    """Return an attribute that keeps an assigned array if kernels can use it as it lies, and copies it if not.

    Raises
    ------
    ShapeError
        If the array has another shape.
    TypeError
        If it is not of real numbers.
    """

    def assign(self: Parametric, value: object) -> None:
        self._assign(name, shown, value)

    return property(attrgetter(f"_{name}"), assign, doc=doc)
