"""A prediction as one call."""

from __future__ import annotations

import copy
from typing import Any

from .. import _core, protocol
from ..arrays import Array, as_array, as_input
from ..checks import as_flag
from ..replay import evaluate
from ..roles import as_module
from .plan import Plan, described, how_it_runs


def compile_predict(model: Any, *, freeze: bool = False) -> CompiledPredict:
    """Return a function that predicts with one call: ``y = predict(x)``.

    It computes what ``model.eval().forward(x)`` does, up to rounding, whatever the modes of the modules, and changes
    nothing in them. Many threads may call it at once.

    Parameters
    ----------
    model : module
        A layer, or a Sequential, Residual or Parallel of pynet's; other models are run module by module.
    freeze : bool, default False
        Whether to take a snapshot of the parameters, which is faster: weights are packed once, and a BatchNorm that
        follows a Linear becomes a part of it. Otherwise later changes of the model count.

    Returns
    -------
    CompiledPredict

    Raises
    ------
    TypeError
        If ``model`` is no module.
    """
    return CompiledPredict(model, freeze=freeze)


class CompiledPredict(_core.Predict):
    """A prediction: see `compile_predict`.

    Attributes
    ----------
    model
        What it was made of; with ``freeze=True`` a copy.
    frozen : bool
        Whether that is a snapshot.
    """

    def __init__(self, model: Any, *, freeze: bool = False) -> None:
        super().__init__()
        freeze = as_flag(freeze, "freeze")
        self.model = copy.deepcopy(as_module(model)) if freeze else as_module(model)
        if freeze:
            protocol.set_mode(self.model, training=False)
        self.frozen = self._frozen = freeze
        self._columns: int | None = None  # of the first data, where the model takes any number

    @property
    def compiled(self) -> bool:
        """Whether it runs as one call, as things are now."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why it runs module by module; empty if it does not."""
        return self._described().reason

    def _described(self) -> Plan:
        return described(self.model, False, self._columns)

    def _new_plan(self) -> Plan | None:
        plan = self._described()
        if plan.reason:
            return None
        if self.frozen:
            plan.freeze()
        self._takes = plan.dtype, plan.columns[0], plan.flattens
        return plan

    def _predict_by_modules(self, x: Any) -> Array:
        input = as_array(x, "input")
        output: Array = evaluate(self.model, input)
        if self._columns is None and input.ndim == 2:
            self._columns = input.shape[1]
        return output

    def _converted(self, x: Any) -> Array | None:
        """Return an array as a plan takes it; None where modules take what it does not, or have more to say of it."""
        dtype, columns, flattens = self._takes
        inputs = as_input(x, "input", dtype)
        if inputs.ndim > 2 and flattens:
            inputs = inputs.reshape(len(inputs), -1)
        if inputs.ndim != 2 or inputs.shape[1] != columns or not len(inputs):
            return None
        return inputs

    def __repr__(self) -> str:
        frozen = ", freeze=True" if self.frozen else ""
        return f"{type(self).__name__}({type(self.model).__name__}{frozen}, {how_it_runs(self.reason)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.model, self.frozen)


def _again(model: Any, frozen: bool) -> CompiledPredict:
    return CompiledPredict(model, freeze=frozen)
