"""What layers with arrays of their own share: one dtype, and arrays that stay the same objects."""

from operator import attrgetter
from typing import Any

import numpy as np

from .. import _core
from ..arrays import Array, aligned, as_parameter
from ..module import Layer
from ..protocol import convert_in


class Parametric(Layer):
    """A layer whose arrays lie in attributes ``_name``, all of one dtype; its gradients are no arrays of others."""

    keeps_gradients = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A file that is mapped into memory, as joblib's are between processes, gives arrays that are read-only.
        for name, value in state.items():
            is_locked = isinstance(value, np.ndarray) and not value.flags.writeable
            vars(self)[name] = aligned(value) if is_locked else value

    def _to_write(self, gradient: Array | None) -> Array | None:
        """Return a gradient for kernels to write into; None if it is frozen."""
        return None if self.frozen else gradient

    def _assign(self, name: str, shown: str, value: object) -> None:
        current: Array | None = getattr(self, f"_{name}")
        if current is None:
            raise ValueError(f"{self!r} has no {shown}")
        array = as_parameter(value, shown, current.shape)
        if array.dtype != current.dtype:
            if name in self.parameter_names and isinstance(value, np.ndarray) and value.dtype.kind == "f":
                convert_in(vars(self), array.dtype, {})  # the parameters decide: the layer's other arrays follow
            else:
                array = array.astype(current.dtype)
        setattr(self, f"_{name}", array)
        _core.structure_changed()


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
