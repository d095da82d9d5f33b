"""A whole training step as one call."""

from __future__ import annotations

import copy
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core, protocol
from ..arrays import Array, as_array, as_classes, as_input, as_row_weights
from ..checks import as_positive, as_size
from ..data.batches import batch_ends
from ..data.loader import as_rows
from ..errors import ShapeError
from ..layers import Dropout
from ..optim.optimizer import Optimizer
from ..replay import forward_of_deep_copy
from ..roles import as_criterion, as_module, as_optimizer
from ..watched import Watched
from .by_modules import buffers_of, step_by_modules
from .plan import CannotCompileError, Plan, described, how_it_runs, is_its_own

# By the model's id, not by the model: one may be equal to another, or have no hash.
_busy: dict[int, tuple[weakref.ref[Any], _core.Busy]] = {}


def compile_step(
    model: Any,
    criterion: Any,
    optimizer: Any,
    *,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> CompiledStep:
    """Return a training step that runs as one call: ``loss = step(x, y)``.

    It computes what this loop computes, up to rounding, with the same dropout masks from the same seed::

        output = model.forward(x)
        loss = criterion.forward(output, y)
        model.backward(x, criterion.backward(output, y))
        optimizer.step()

    Parameters
    ----------
    model : module
        A layer, or a Sequential, Residual or Parallel of pynet's. Its arrays stay the same objects and are updated in
        place; whatever is written into them, assigned or appended counts from the next call on. Each module's
        ``training`` counts.
    criterion : Criterion
        One whose loss is a number.
    optimizer : optimizer
        Of this model.
    clip_norm, clip_value : float, optional
        What the norm of all gradients together, or the size of each number in them, is limited to before each step.

    Returns
    -------
    CompiledStep

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or the optimizer is another model's.

    Notes
    -----
    Where there is something that has no compiled form (a layer of one's own, hooks, a layer that stands twice, float32
    beside float64), the step runs module by module: ``step.compiled`` is False then and ``step.reason`` says why. So
    does the first step of a model that takes any number of columns, as one that begins with `Columns` or `Embedding`;
    and every step on inputs of more axes than (N, features), unless the model begins with `Flatten`.

    Where an `Embedding` refuses its indices, the numbers that the masks of that step would be made of have been drawn.

    Denormal numbers are taken for 0 inside a step: momentum of what gets no gradient would decay into them and make
    steps several times slower.
    """
    return CompiledStep(model, criterion, optimizer, clip_norm=clip_norm, clip_value=clip_value)


def _as_limit(value: Any, name: str) -> float | None:
    return None if value is None else as_positive(value, name)


class CompiledStep(_core.Step):
    """A training step: see `compile_step`.

    ``step(x, y)`` returns the loss, a float, and moves the parameters. ``step(x, y, gradients=True)`` also leaves the
    gradients in the layers' ``grad_*``, which stay as they are otherwise. ``step(x, y, weight=w)`` multiplies the loss
    and the gradient of each row by its weight, as criteria do: see `pynet.Criterion`. One step of a model at a time: a
    second thread that enters gets `StateError`.

    Between them, other attributes than these are not kept up to date: neither a layer's ``output`` and ``mask``, nor a
    criterion's ``output`` and ``grad_output``.
    """

    clip_norm = Watched(_as_limit, "What the norm of all gradients together is limited to, or None.")
    clip_value = Watched(_as_limit, "What the size of each number in the gradients is limited to, or None.")

    def __init__(
        self,
        model: Any,
        criterion: Any,
        optimizer: Any,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self._model, self._criterion = as_module(model), as_criterion(criterion)
        self._optimizer = as_optimizer(optimizer, model)
        self.clip_norm, self.clip_value = clip_norm, clip_value
        super().__init__(_busy_of(model))
        self._plan: Plan | None = None
        self._moves: tuple[str, ...] = ()
        self._columns: int | None = None  # of the data, where the model takes any number

    @property
    def model(self) -> Any:
        """What it trains."""
        return self._model

    @property
    def criterion(self) -> Any:
        """What outputs cost."""
        return self._criterion

    @property
    def optimizer(self) -> Any:
        """What moves the parameters."""
        return self._optimizer

    @property
    def compiled(self) -> bool:
        """Whether the step runs as one call, as things are now."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why it runs module by module; empty if it does not."""
        return self._current_plan().reason

    @property
    def output(self) -> Array | None:
        """What the model returned in the last step, (N, ...); None before the first."""
        found: Array | None = self._output()
        return getattr(self.model, "output", None) if found is None else found

    def epoch(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        order: npt.ArrayLike | None = None,
        batch_size: int = 32,
        weight: npt.ArrayLike | None = None,
    ) -> Array:
        """Run a step for every batch of rows, one after another; return their losses.

        Parameters
        ----------
        X : array (rows, ...)
            One row per sample.
        y : array (rows,) or (rows, ...)
            Their targets.
        order : array of int, optional
            Which rows, in which order; all of them as they lie unless given. ``rng.permutation(len(X))`` shuffles.
        batch_size : int, default 32
            Rows per step. A last batch of one row joins the one before it, for BatchNorm needs two.
        weight : array (rows,), optional
            What each row counts.

        Returns
        -------
        array of float64
            One loss per batch.

        Raises
        ------
        IndexError
            If ``order`` names a row that there is not.
        ShapeError, TypeError, ValueError
            If the data do not fit the model. Nothing has moved then, unless it shows only in a batch after others: no
            row of it counts, the criterion refuses its outputs, or an `Embedding` its indices.
        KeyboardInterrupt
            After Ctrl-C, within 200 ms, between two steps.
        """
        size, count = as_size(batch_size, "batch_size", smallest=1), len(as_rows(as_array(X, "X"), "X"))
        rows = np.arange(count) if order is None else as_order(order, count)
        ends = batch_ends(len(rows), size) if len(rows) else []
        losses = np.zeros(len(ends))
        if ends:
            weights = None if weight is None else as_row_weights(weight, "weight", count)
            self.run(X, y, rows, np.array(ends, np.int64), losses, weight=weights)
        return losses

    def run(
        self,
        X: Any,
        y: Any,
        order: Array,
        ends: Array,
        losses: Array,
        poll: Callable[[int], bool] | None = None,
        must_be_finite: bool = False,
        weight: Array | None = None,
    ) -> int:
        """Run batches ``order[ends[i - 1]:ends[i]]``, and write their losses; return how many are done.

        ``poll(done)``, called some fifty times a second, ends it by returning True. With ``must_be_finite`` a batch
        whose loss is not finite ends it too, and has moved nothing.
        """
        done, stopped = 0, False
        pair = (X, y)
        self.expect(X)
        usable = self.compiled
        if usable and not self._fits(X, y):
            converted = self._converted(X, y)
            usable, pair = converted is not None, converted or pair
        if usable and self._current_plan().needs_two_rows and np.diff(ends).min(initial=ends[0]) == 1:
            self._converted(pair[0][order[:1]], pair[1][order[:1]])

        def stops(done: int) -> bool:
            nonlocal stopped
            stopped = poll is not None and poll(done)
            return stopped

        while done < len(ends) and not stopped:
            if usable and self.compiled:
                done = self._epoch(pair[0], pair[1], order, ends, done, losses, stops, must_be_finite, weight)
                if done == len(ends) or math.isfinite(losses[done]):
                    continue
                if not self._refuses():
                    break
            # A batch that the criterion may have refused comes here too: modules say so.
            rows = order[ends[done - 1] if done else 0 : ends[done]]
            x_rows, y_rows = as_array(X, "X")[rows], as_array(y, "y")[rows]
            own_step = self.finite_step if must_be_finite else self
            losses[done] = own_step(x_rows, y_rows, False, None if weight is None else weight[rows])
            if must_be_finite and not math.isfinite(losses[done]):
                break
            done += 1
            stops(done)
        return done

    def expect(self, X: Any) -> None:
        """Prepare for data as wide as these, if the model takes any width."""
        shape: tuple[int, ...] = getattr(X, "shape", ())
        plan = self._current_plan()
        if plan.takes_any_width and len(shape) == 2 and shape[1] != self._columns:
            self._columns = shape[1]
            self._compile()

    def _current_plan(self) -> Plan:
        if self._plan is None or not self._plan.is_current:
            self._compile()
        assert self._plan is not None
        return self._plan

    def _compile(self) -> None:
        """Describe the model anew; called when something has changed."""
        plan = described(self.model, True, self._columns)
        if not plan.reason:
            try:
                self._add_rest(plan)
            except CannotCompileError as error:
                plan.reason = str(error)
        self._plan = plan
        self._set_plan(plan, not plan.reason)

    def _refuses(self) -> bool:
        """Whether there are outputs that the criterion refuses."""
        return self._plan is not None and self._plan.refuses

    def _add_rest(self, plan: Plan) -> None:
        _require_its_own(self.criterion, "add_to", "forward", "backward")
        _require_its_own(self.optimizer, "add_to", "_move")
        if type(self.optimizer).step is not Optimizer.step:
            raise CannotCompileError(f"{type(self.optimizer).__name__} has a step of its own")
        plan.watch_size(self.criterion)
        self.criterion.add_to(plan)
        plan.watch_size(self.optimizer)
        moves = self.optimizer.prepare()
        if moves.odd:
            raise CannotCompileError("the optimizer works on copies")
        plan.use_buffers(moves.arrays, moves.buffers, moves.steps, moves.own)
        self._moves = self.optimizer.buffers
        self.optimizer.add_to(plan)
        plan.clip(
            math.inf if self.clip_norm is None else self.clip_norm,
            math.inf if self.clip_value is None else self.clip_value,
        )
        plan.mark_current()

    def _read_options(self) -> None:
        """Tell the plan of the optimizer's numbers; called when some have been assigned."""
        assert self._plan is not None
        if self.optimizer.buffers != self._moves:  # momentum that there was not before
            self._compile()
        else:
            self.optimizer.add_to(self._plan)
            self._plan.mark_options_read()

    def _step_by_modules(self, x: Any, y: Any, must_be_finite: bool, weight: Any = None) -> float:
        if weight is not None:
            weight = as_row_weights(weight, "weight", len(as_rows(as_array(x, "input"), "input")))
        buffers = buffers_of(self.model) if must_be_finite else None
        try:
            loss, _ = step_by_modules(self, x, y, weight, buffers=buffers)
        finally:
            if self._refuses():
                _draw_anew(self.model)
        self.expect(as_array(x, "input"))
        return loss

    def _converted(self, x: Any, y: Any) -> tuple[Array, Array] | None:
        """Return arrays as the plan takes them; None where modules take what it does not; raise what they would."""
        assert self._plan is not None
        plan = self._plan
        inputs = as_input(x, "input", plan.dtype)
        if inputs.ndim > 2:
            if not plan.flattens:
                return None
            inputs = inputs.reshape(len(inputs), -1)
        if plan.writes_into(inputs):
            inputs = inputs.copy()
        columns_in, columns_out = plan.columns
        if inputs.ndim < 2 or inputs.shape[1] != columns_in or len(inputs) < 1 + plan.needs_two_rows:
            forward_of_deep_copy(self.model, inputs)  # has more to say of a wrong shape
            return None  # which it takes
        outputs = np.zeros((len(inputs), columns_out), plan.dtype)
        criterion = copy.copy(self.criterion)
        criterion.forward(outputs, y)  # and of a wrong target
        if criterion.takes_labels:
            return inputs, as_classes(y, plan.dtype)
        return inputs, as_input(y, "target", plan.dtype).reshape(len(inputs), plan.target_columns)

    def __repr__(self) -> str:
        parts = f"{type(self.model).__name__}, {self.criterion!r}, {self.optimizer!r}"
        return f"{type(self).__name__}({parts}, {how_it_runs(self.reason)})"

    def __reduce__(self) -> tuple[Any, ...]:
        options = {"clip_norm": self.clip_norm, "clip_value": self.clip_value}
        return _again, (self.model, self.criterion, self.optimizer, options)


def _draw_anew(model: Any) -> None:
    """Let go of the words that a step that came to nothing has handed on."""
    for _, module in protocol.modules(model):
        if isinstance(module, Dropout):
            module._draw_again(None)


def _again(model: Any, criterion: Any, optimizer: Any, options: dict[str, Any]) -> CompiledStep:
    return CompiledStep(model, criterion, optimizer, **options)


def as_order(order: npt.ArrayLike, rows: int) -> Array:
    """Return which rows to take, as int64; raise if there are no such rows."""
    array = as_array(order, "order")
    if array.ndim != 1:
        raise ShapeError(f"order has shape {array.shape}, expected (rows,)")
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"order must be whole numbers, got {array.dtype}")
    if array.size and not (-rows <= array.min() and array.max() < rows):
        raise IndexError(f"order has row {array.min() if array.min() < -rows else array.max()}, there are {rows}")
    found = array.astype(np.int64)
    return np.where(found < 0, found + rows, found)


def _require_its_own(part: Any, *methods: str) -> None:
    known = hasattr(part, "add_to") and is_its_own(type(part), *methods)
    if not known or not set(methods).isdisjoint(vars(part)) or "step" in vars(part):
        raise CannotCompileError(f"{type(part).__name__} has no compiled form")


def _busy_of(model: Any) -> _core.Busy:
    """Return what all steps of a model share."""
    key, known = id(model), _busy

    def forget(_: weakref.ref[Any]) -> None:
        known.pop(key, None)

    try:
        return known.setdefault(key, (weakref.ref(model, forget), _core.Busy()))[1]
    except TypeError:  # one with slots
        return _core.Busy()
