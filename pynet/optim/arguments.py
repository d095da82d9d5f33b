"""The arguments of an optimizer's step: arrays that kernels can take, for as long as the model has the same ones."""

from typing import Any

import numpy as np

from .. import _core, protocol
from ..arrays import Array, as_array, native_float
from ..errors import ShapeError, StateError


class Slot:
    """A parameter and its gradient as kernels can take them: themselves, or for odd layouts copies."""

    def __init__(self, parameter: protocol.Parameter) -> None:
        name, self._parameter, gradient, owner = parameter
        if gradient is None:
            raise StateError(
                f"parameter '{name}' has no gradient: call backward first, and look whether grad_parameters() of "
                f"{type(owner).__name__} returns what its backward writes"
            )
        if np.shape(gradient) != self._parameter.shape:
            raise ShapeError(
                f"the gradient of '{name}' has shape {np.shape(gradient)}, expected {self._parameter.shape}"
            )
        dtype = native_float(self._parameter.dtype)
        if dtype is None:
            raise TypeError(f"parameter '{name}' must be float32 or float64, got {self._parameter.dtype}")
        self.name, self._gradient = name, gradient
        self._require_writable()
        self.array = np.require(self._parameter, dtype, ["C", "A"])
        self.gradient = np.require(as_array(gradient, f"gradient of '{name}'"), dtype, ["C", "A", "W"])

    def _require_writable(self) -> None:
        if not self._parameter.flags.writeable:
            raise ValueError(f"parameter '{self.name}' is read-only")

    @property
    def is_odd(self) -> bool:
        """Whether there are copies."""
        return self.array is not self._parameter or self.gradient is not self._gradient

    def read(self) -> None:
        """Fill the copies."""
        self._require_writable()
        self.array[...] = self._parameter
        self.gradient[...] = self._gradient

    def write(self) -> None:
        """Bring the parameter's copy back."""
        self._parameter[...] = self.array


class Step:
    """The arguments of one step, which serve the next one too while all arrays are the same objects.

    Parameters
    ----------
    parameters, frozen
        All of the model, and the ids of the arrays that are not to move.
    buffer_names : tuple of str
        Of the optimizer's arrays.
    slots, states : list
        Of the parameters that are to move: themselves, and what the optimizer keeps for each.
    resting : dict
        What it keeps for those that are frozen, by name.
    """

    def __init__(
        self,
        parameters: list[protocol.Parameter],
        frozen: frozenset[int],
        buffer_names: tuple[str, ...],
        slots: list[Slot],
        states: list[dict[str, Any]],
        resting: dict[str, dict[str, Any]],
    ) -> None:
        self._parameters, self._frozen, self._buffer_names = parameters, frozen, buffer_names
        self.names = [slot.name for slot in slots]
        self.arrays, self.gradients = [slot.array for slot in slots], [slot.gradient for slot in slots]
        self.buffers = [[state[name] for state in states] for name in buffer_names]
        # Each parameter's own count is a view of these, for C++ counts where the numbers lie.
        self.steps = np.array([state["step"] for state in states], np.int64)
        for position, state in enumerate(states):
            state["step"] = self.steps[position : position + 1].reshape(())
        self.state_by_name = resting | dict(zip(self.names, states, strict=True))
        self.odd = [slot for slot in slots if slot.is_odd]
        self.watch: _core.Watch | None = None
        self.own: Array | None = None  # what parameters of groups have of their own

    def is_unchanged(self, buffer_names: tuple[str, ...]) -> bool:
        """Whether it is known without a look at the model that nothing in it has changed."""
        return self.watch is not None and self.watch.is_current() and buffer_names == self._buffer_names

    def is_for(
        self, parameters: list[protocol.Parameter], frozen: frozenset[int], buffer_names: tuple[str, ...]
    ) -> bool:
        """Whether these are the very arrays it was made for."""
        return (
            len(parameters) == len(self._parameters)
            and all(
                new.array is old.array and new.gradient is old.gradient and new.name == old.name
                for new, old in zip(parameters, self._parameters, strict=True)
            )
            and (frozen, buffer_names) == (self._frozen, self._buffer_names)
        )
