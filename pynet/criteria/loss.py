"""Loss: the base of criteria that compare numbers with their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array
from ..criterion import Criterion
from ..module import named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Options(NamedTuple):
    """What a formula depends on besides input and target."""

    number: float = 0.0
    numbers: Array | float | None = None
    of_logs: bool = False
    full: bool = False


class Loss(Criterion):
    """Base of the criteria whose losses, one for each number or column, are averaged, added up, or kept apart.

    A subclass names its kernel, and says in `_options` what the formula depends on.
    """

    _kernel: str
    reduction: Any

    def _options(self) -> Options:
        return Options()

    def _reduction(self) -> str:
        found: str = self.reduction
        return found

    @named
    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Any:
        """Return the loss; in float32 it is summed in double."""
        self.output = output = _core.loss_forward(
            self._kernel, input, target, weight, self._reduction(), *self._options()
        )
        return output

    @named
    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Array:
        """Return the gradient of the loss; with ``reduction="none"``, of the sum of the losses."""
        self.grad_output = grad = _core.loss_backward(
            self._kernel, input, target, weight, self._reduction(), *self._options()
        )
        return grad

    def add_to(self, plan: Plan) -> None:
        """Describe this criterion to a compiled step."""
        plan.require_one_number(self._reduction())
        plan.loss(self._kernel, self._reduction(), *self._options())

    @named
    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return each row's losses, added up, and divided as the loss is."""
        each: Array = _core.loss_forward(self._kernel, input, target, None, "none", *self._options())
        divisors = {"mean": each.size, "batch": len(each), "batchmean": len(each)}
        with np.errstate(all="ignore"):  # infinite losses are as silent as in a kernel
            rows: Array = each.reshape(len(each), -1).sum(axis=1) / divisors.get(self._reduction(), 1)
        return rows
