"""What optimizers share: the parameters they move, and the state they keep for each."""

import operator
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
        self._plan: _Plan | None = None

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
        owners = [owner for _, owner in protocol.owners(self.model)]
        parameters = [array for owner in owners for array in protocol.own_parameters(owner)]
        gradients = [array for owner in owners for array in protocol.own_gradients(owner)]
        plan = self._plan
        if plan is None or not plan.is_for(parameters, gradients, self.buffers):
            plan = self._new_plan(parameters, gradients)
        for slot in plan.odd:
            slot.read()
        self._move(plan.arrays, plan.gradients, plan.buffers, [state["step"] + 1 for state in plan.states])
        for state in plan.states:
            state["step"] += 1
        for slot in plan.odd:
            slot.write()
        if plan is not self._plan:
            self._state |= plan.state_by_name
            self._plan = plan

    def _new_plan(self, parameters: list[Array], gradients: list[Array]) -> "_Plan":
        names = [name for name, _ in protocol.named_parameters(self.model)]
        slots = [_Slot(*each) for each in zip(names, parameters, gradients, strict=True)]
        return _Plan(parameters, gradients, self.buffers, slots, [self._state_of(slot) for slot in slots])

    def _state_of(self, slot: "_Slot") -> dict[str, Any]:
        state = self._state.get(slot.name)
        fits = state is not None and all(
            name in state and state[name].shape == slot.array.shape and state[name].dtype == slot.array.dtype
            for name in self.buffers
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
        self._state, self._plan = new, None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_plan": None}

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
        self._parameter, self._gradient = parameter, gradient
        self.array = np.require(parameter, dtype, ["C", "A"])
        self.gradient = np.require(as_array(gradient, f"gradient of '{name}'"), dtype, ["C", "A", "W"])

    @property
    def is_odd(self) -> bool:
        """Whether there are copies."""
        return self.array is not self._parameter or self.gradient is not self._gradient

    def read(self) -> None:
        """Fill the copies."""
        self.array[...] = self._parameter
        self.gradient[...] = self._gradient

    def write(self) -> None:
        """Bring the parameter's copy back."""
        self._parameter[...] = self.array


class _Plan:
    """The arguments of one step, which serve the next one too while all arrays are the same objects."""

    def __init__(
        self,
        parameters: list[Array],
        gradients: list[Array],
        buffer_names: tuple[str, ...],
        slots: list[_Slot],
        states: list[dict[str, Any]],
    ) -> None:
        self._parameters, self._gradients, self._buffer_names = parameters, gradients, buffer_names
        self.arrays, self.gradients = [slot.array for slot in slots], [slot.gradient for slot in slots]
        self.buffers = [[state[name] for state in states] for name in buffer_names]
        self.states = states
        self.state_by_name = {slot.name: state for slot, state in zip(slots, states, strict=True)}
        self.odd = [slot for slot in slots if slot.is_odd]

    def is_for(self, parameters: list[Array], gradients: list[Array], buffer_names: tuple[str, ...]) -> bool:
        """Whether these are the very arrays it was made for."""
        return (
            len(parameters) == len(self._parameters)
            and all(map(operator.is_, parameters, self._parameters))
            and all(map(operator.is_, gradients, self._gradients))
            and buffer_names == self._buffer_names
        )
