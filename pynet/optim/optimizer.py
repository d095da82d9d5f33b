"""What optimizers share: the parameters they move, and the state they keep for each."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import _core, protocol
from ..arrays import Array, aligned, as_array
from ..checks import as_at_least_zero, as_mapping, as_size, require_entries
from ..errors import ShapeError
from ..freezing import frozen_arrays
from ..watched import Watched
from .arguments import Slot, Step


class Hyper(Watched):
    """A hyper-parameter: what is assigned counts from the next step on."""

    def __init__(self, check: Callable[[Any, str], Any], doc: str) -> None:
        super().__init__(check, doc, _core.options_changed)


class Optimizer:
    """Base of all optimizers: what `SGD`, `Adam` and the others have in common.

    A subclass names its hyper-parameters in `options` and its arrays, one like each parameter, in `buffers`, and
    defines ``_move(parameters, grads, buffers, steps)``. Buffers that depend on its options, and so may come late, it
    names in `late_buffers` too, and those that are one number in float64 in `numbers`.

    The model's parameters are asked for at every step, so that layers added and arrays assigned since count. State
    belongs to an array; one that is assigned in its place, under its name, takes it over if shape and dtype are the
    same.

    Notes
    -----
    pynet's own optimizers take ``groups``: parameters that have numbers of their own, each group as a dict. Its
    ``"parameters"`` are a module of the model, a pattern of names as `fnmatch` knows it, or a list of these, and its
    ``"lr"`` and ``"weight_decay"``, both or one, count instead of the optimizer's. Of several groups that match a
    parameter the first one has it; parameters in no group have the optimizer's numbers. A group's ``lr`` keeps the
    proportion to the optimizer's that it has at the start: what a schedule, or a user, assigns to ``lr`` scales all
    groups, as PyTorch's schedules do. ``optimizer.groups`` shows what each has now.

    Examples
    --------
    >>> optimizer = pynet.optim.AdamW(  # doctest: +SKIP
    ...     model,
    ...     lr=1e-3,
    ...     groups=[{"parameters": "*.bias", "weight_decay": 0}, {"parameters": model[0], "lr": 1e-4}],
    ... )
    """

    options: tuple[str, ...] = ("lr",)
    buffers: tuple[str, ...] = ()
    late_buffers: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    lr = Hyper(as_at_least_zero, "The learning rate; what is assigned counts from the next step on.")

    def __init__(self, model: Any, lr: float) -> None:
        if not protocol.is_module(model):
            raise TypeError(
                f"model must be a module, got {model if isinstance(model, type) else type(model).__name__}: "
                f"write {type(self).__name__}(model, ...), not its class or its parameters"
            )
        self.model = model
        self.lr = lr
        self._state: dict[str, dict[str, Any]] = {}
        self._step: Step | None = None

    def zero_grad(self) -> None:
        """Fill all gradients with zeros."""
        protocol.zero_grad(self.model)

    def step(self) -> None:
        """Move all parameters by their gradients; either all of them or, after an error, none.

        Raises
        ------
        StateError
            If a user's layer has no gradients.
        ShapeError, TypeError, ValueError
            If a parameter or a gradient is not what it must be: names it.
        """
        step = self._step_for_now()
        for slot in step.odd:
            slot.read()
        self._run(step)
        for slot in step.odd:
            slot.write()
        self._take(step)

    def _run(self, step: Step) -> None:
        self._move(step.arrays, step.gradients, step.buffers, step.steps)

    def prepare(self) -> Step:
        """Return the arrays of a step, which a compiled one computes in and counts in ``steps``."""
        step = self._step_for_now()
        self._take(step)
        return step

    def _step_for_now(self) -> Step:
        step = self._step
        if step is not None and step.is_unchanged(self.buffers):
            return step
        parameters, frozen = protocol.all_parameters(self.model), frozen_arrays(self.model)
        if step is None or not step.is_for(parameters, frozen, self.buffers):
            return self._new_step(parameters, frozen)
        step.watch = protocol.watch(self.model)
        return step

    def _take(self, step: Step) -> None:
        if step is not self._step:
            self._state, self._step = step.state_by_name, step
            _core.structure_changed()
            step.watch = protocol.watch(self.model)

    def _new_step(self, parameters: list[protocol.Parameter], frozen: frozenset[int]) -> Step:
        present = {id(parameter.array) for parameter in parameters}
        by_array = {id(state["of"]): state for state in self._state.values()}
        slots, states, resting = [], [], {}
        for parameter in parameters:
            state = self._state.get(parameter.name)
            if state is None or state["of"] is not parameter.array:
                if state is not None and id(state["of"]) in present:
                    state = None  # that name was another layer's
                state = by_array.get(id(parameter.array), state)
            if id(parameter.array) in frozen:
                if state is not None:
                    resting[parameter.name] = state | {"of": parameter.array}
                continue
            slots.append(slot := Slot(parameter))
            states.append(self._completed(state or {}, slot.array) | {"of": parameter.array})
        return Step(parameters, frozen, self.buffers, slots, states, resting)

    def _completed(self, state: dict[str, Any], array: Array) -> dict[str, Any]:
        """Return the state with what it lacks for this array; where something is lacking, steps count from 0 again."""
        missing = {name for name in self.buffers if not self._fits(name, state.get(name), array)}
        if state and not missing:
            return state
        if not missing <= set(self.late_buffers):
            state, missing = {}, set(self.buffers)
        return state | {"step": 0} | {name: self._new_buffer(name, array) for name in missing}

    def _fits(self, name: str, buffer: Array | None, array: Array) -> bool:
        return buffer is not None and (buffer.shape, buffer.dtype) == self._form(name, array)

    def _form(self, name: str, array: Array) -> tuple[tuple[int, ...], Any]:
        """Return shape and dtype of a buffer for a parameter."""
        return ((), np.dtype(np.float64)) if name in self.numbers else (array.shape, array.dtype)

    def _new_buffer(self, name: str, array: Array) -> Array:
        start, (shape, dtype) = self._start(name), self._form(name, array)
        return aligned(np.full(shape, start, dtype) if start else np.zeros(shape, dtype))

    def _start(self, name: str) -> float:
        """Return what a buffer holds before a parameter's first step."""
        return 0.0

    def _move(self, parameters: list[Array], grads: list[Array], buffers: list[list[Array]], steps: Array) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define _move")

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the hyper-parameters and, under ``state``, of what is kept for each parameter by name."""
        state = {
            name: {"step": int(kept["step"])}
            | {buffer: kept[buffer].copy() for buffer in self.buffers if buffer in kept}
            for name, kept in self._state.items()
            if kept["step"] > 0
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
        require_entries(state, {*self.options, "state"})
        trial = type(self)(self.model, **{name: state[name] for name in self.options})  # checks the values
        arrays = {parameter.name: parameter.array for parameter in protocol.all_parameters(self.model)}
        new: dict[str, dict[str, Any]] = {}
        for name, kept in as_mapping(state["state"], "state['state']").items():
            if name not in arrays:
                raise ValueError(f"state has '{name}', which is no parameter of the model")
            as_mapping(kept, f"state of '{name}'")
            names, given = {*trial.buffers}, {*kept} - {"step"}
            if "step" not in kept or not names - {*trial.late_buffers} <= given <= names:
                raise ValueError(f"state of '{name}' has {sorted(kept)}, expected {sorted({'step', *names})}")
            new[name] = {"step": as_size(kept["step"], "step"), "of": arrays[name]}
            for buffer in given:
                value = as_array(kept[buffer], f"{buffer} of '{name}'")
                shape, dtype = trial._form(buffer, arrays[name])
                if value.shape != shape:
                    raise ShapeError(f"{buffer} of '{name}' has shape {value.shape}, expected {shape}")
                new[name][buffer] = aligned(value.astype(dtype))
        for name in self.options:
            setattr(self, name, getattr(trial, name))
        self._state, self._step = new, None
        _core.structure_changed()

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_step": None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.options)})"
