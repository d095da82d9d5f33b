"""What optimizers share: the parameters they move, and the state they keep for each."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array, as_array, native_float
from ..checks import as_at_least_zero
from ..errors import ShapeError


class Optimizer:
    """Base of all optimizers: what `SGD`, `Adam` and `AdamW` have in common.

    A subclass names its hyper-parameters in `options` and its arrays, one like each parameter, in `buffers`, and
    defines ``_move(parameters, grads, buffers, steps)``.

    The model's parameters are asked for at every step, so that layers added and arrays assigned since count; state is
    kept by the parameter's name, and starts anew when its shape or dtype changes.
    """

    options: tuple[str, ...] = ("lr",)
    buffers: tuple[str, ...] = ()

    def __init__(self, model: Any, lr: float) -> None:
        if not protocol.is_module(model):
            raise TypeError(f"model must be a module, got {type(model).__name__}: write SGD(model), not its parameters")
        self.model = model
        self.lr = lr
        self._state: dict[str, dict[str, Any]] = {}

    @property
    def lr(self) -> float:
        """The learning rate; what is assigned counts from the next step on."""
        return self._lr

    @lr.setter
    def lr(self, lr: Any) -> None:
        self._lr = as_at_least_zero(lr, "lr")

    def zero_grad(self) -> None:
        """Fill all gradients with zeros."""
        for gradient in protocol.grad_parameters(self.model):
            gradient.fill(0)

    def step(self) -> None:
        """Move all parameters by their gradients; either all of them or, after an error, none."""
        named = protocol.named_parameters(self.model)
        gradients = protocol.grad_parameters(self.model)
        slots = [_Slot(name, array, gradient) for (name, array), gradient in zip(named, gradients, strict=True)]
        states = [self._state_of(slot) for slot in slots]
        steps = [state["step"] + 1 for state in states]
        buffers = [[state[name] for state in states] for name in self.buffers]
        self._move([slot.array for slot in slots], [slot.gradient for slot in slots], buffers, steps)
        for slot, state, count in zip(slots, states, steps, strict=True):
            state["step"] = count
            self._state[slot.name] = state
            slot.write_back()

    def _state_of(self, slot: "_Slot") -> dict[str, Any]:
        state = self._state.get(slot.name)
        fits = state is not None and all(
            state[name].shape == slot.array.shape and state[name].dtype == slot.array.dtype for name in self.buffers
        )
        if state is not None and fits:
            return state
        return {"step": 0} | {name: np.zeros_like(slot.array) for name in self.buffers}

    def _move(self, parameters: list[Array], grads: list[Array], buffers: list[list[Array]], steps: list[int]) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define _move")

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the hyper-parameters and, under ``state``, of what is kept for each parameter by name."""
        state = {
            name: {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in kept.items()}
            for name, kept in self._state.items()
        }
        return {option: getattr(self, option) for option in self.options} | {"state": state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; either all of it or, after an error, nothing.

        Raises
        ------
        ValueError
            If hyper-parameters or buffers are missing, unexpected or out of range.
        ShapeError
            If a buffer does not have its parameter's shape.
        """
        expected = {*self.options, "state"}
        if set(state) != expected:
            raise ValueError(f"state has {sorted(state)}, expected {sorted(expected)}")
        trial = type(self)(self.model, **{name: state[name] for name in self.options})  # checks the values
        shapes = dict(protocol.named_parameters(self.model))
        new: dict[str, dict[str, Any]] = {}
        for name, kept in state["state"].items():
            if name not in shapes:
                raise ValueError(f"state has '{name}', which is no parameter of the model")
            if set(kept) != {"step", *trial.buffers}:
                raise ValueError(f"state of '{name}' has {sorted(kept)}, expected {sorted({'step', *trial.buffers})}")
            new[name] = {"step": int(kept["step"])}
            for buffer in trial.buffers:
                value = as_array(kept[buffer], f"{buffer} of '{name}'")
                if value.shape != shapes[name].shape:
                    raise ShapeError(f"{buffer} of '{name}' has shape {value.shape}, expected {shapes[name].shape}")
                new[name][buffer] = np.array(value, dtype=shapes[name].dtype, order="C")
        for name in self.options:
            setattr(self, name, getattr(trial, name))
        self._state = new

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.options)})"


class _Slot:
    """A parameter and its gradient as kernels can take them: themselves, or for odd layouts copies."""

    def __init__(self, name: str, parameter: Array, gradient: Array) -> None:
        if np.shape(gradient) != parameter.shape:
            raise ShapeError(f"the gradient of '{name}' has shape {np.shape(gradient)}, expected {parameter.shape}")
        dtype = native_float(parameter.dtype)
        if dtype is None:
            raise TypeError(f"parameter '{name}' must be float32 or float64, got {parameter.dtype}")
        if not parameter.flags.writeable:
            raise ValueError(f"parameter '{name}' is read-only")
        self.name = name
        self._parameter = parameter
        self.array = np.require(parameter, dtype, ["C", "A"])
        self.gradient = np.require(as_array(gradient, f"gradient of '{name}'"), self.array.dtype, ["C", "A", "W"])

    def write_back(self) -> None:
        if self.array is not self._parameter:
            self._parameter[...] = self.array
