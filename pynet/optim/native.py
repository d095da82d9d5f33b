"""What pynet's own optimizers share: their updates are C++'s, one by one and in compiled steps, and know of groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import _core, protocol
from ..arrays import Array
from ..checks import require_entries
from .arguments import Step
from .groups import GivenGroups, Group, Groups
from .optimizer import Optimizer

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class NativeOptimizer(Optimizer):
    """Base of optimizers whose update is a kernel; a subclass says which, with its numbers, in `_update`."""

    weight_decay: float

    def __init__(self, model: Any, lr: float, groups: GivenGroups = ()) -> None:
        super().__init__(model, lr)
        self._groups = Groups(model, self.lr, groups)
        if self._groups and type(self)._move is not NativeOptimizer._move:
            raise TypeError(f"{type(self).__name__} has a _move of its own, which knows nothing of groups")

    @property
    def groups(self) -> list[Group]:
        """The groups: the names of their parameters, and the ``lr`` and ``weight_decay`` that they have now."""
        return self._groups.at_present(self.model, self.lr, self.weight_decay)

    def _update(self) -> _core.Update:
        raise NotImplementedError(f"{type(self).__name__} must define _update")

    def add_to(self, plan: Plan) -> None:
        """Describe the step to a compiled one."""
        plan.move_by(self._update())

    def _new_step(self, parameters: list[protocol.Parameter], frozen: frozenset[int]) -> Step:
        step = super()._new_step(parameters, frozen)
        step.own = self._groups.own_numbers(parameters, step.names)
        return step

    def _run(self, step: Step) -> None:
        if step.own is None:
            super()._run(step)
        else:
            _core.optimizer_step(self._update(), step.arrays, step.gradients, step.buffers, step.steps, step.own)

    def _move(self, parameters: list[Array], grads: list[Array], buffers: list[list[Array]], steps: Array) -> None:
        _core.optimizer_step(self._update(), parameters, grads, buffers, steps, None)

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the hyper-parameters, those of ``groups``, and under ``state`` what each parameter has."""
        groups = {"groups": self._groups.state(self.model)} if self._groups else {}
        return super().state_dict() | groups

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, with the same groups; either all of it or, after an error, nothing.

        Raises
        ------
        ValueError
            If hyper-parameters, buffers or groups are missing, unexpected or out of range.
        ShapeError
            If a buffer does not have its parameter's shape.
        """
        if not self._groups:
            super().load_state_dict(state)
            return
        require_entries(state, {*self.options, "state", "groups"})
        groups = self._groups.with_state(self.model, state["groups"])
        super().load_state_dict({name: value for name, value in state.items() if name != "groups"})
        self._groups = groups

    def __repr__(self) -> str:
        shown = super().__repr__()
        return f"{shown[:-1]}, groups={self._groups.text(self.model, self.lr)})" if self._groups else shown
