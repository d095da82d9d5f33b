"""What pynet's own optimizers share: their updates are C++'s, one by one and in compiled steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core
from ..arrays import Array
from .optimizer import Optimizer

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class NativeOptimizer(Optimizer):
    """Base of optimizers whose update is a kernel; a subclass says which, with its numbers, in `_update`."""

    def _update(self) -> _core.Update:
        raise NotImplementedError(f"{type(self).__name__} must define _update")

    def add_to(self, plan: Plan) -> None:
        """Describe the step to a compiled one."""
        plan.move_by(self._update())

    def _move(self, parameters: list[Array], grads: list[Array], buffers: list[list[Array]], steps: Array) -> None:
        _core.optimizer_step(self._update(), parameters, grads, buffers, steps)
