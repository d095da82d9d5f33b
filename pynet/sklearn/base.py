"""What pynet's estimators share: checked data, training until it gets no better, outputs of the network."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import protocol
from ..arrays import Array
from ..checks import as_at_least_zero, as_flag, as_fraction, as_size
from ..compiled import CompiledPredict
from ..errors import ShapeError
from ..replay import evaluate
from ..roles import as_criterion, as_module
from ..training import Trainer
from ..warning import warn
from .amounts import Amounts
from .arguments import as_eval_set, as_own_callbacks
from .labels import Labels
from .outputs import OUT_ACTIVATIONS, out_activation_of
from .progress import Progress
from .randomness import new_generator, take_over
from .rows import HeldOut, Run, split_rows
from .stopping import Stopping
from .weights import row_weights, without_zeros

_ROWS_AT_ONCE = 4096  # of predictions, and of sparse rows that become dense


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of pynet's estimators.

    A subclass makes the network and its optimizer; `Labels` and `Amounts` know what the targets mean.
    """

    # What every subclass's constructor takes.
    criterion: Any
    out_activation: Any
    batch_size: int | str
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: float
    callbacks: Any

    # What fitting leaves.
    model_: Any
    criterion_: Any
    optimizer_: Any
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    validation_curve_: list[float]
    validation_scores_: list[float]
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    n_outputs_: int
    out_activation_: Any
    stopped_: bool
    _targets: Labels | Amounts
    _stopping: Stopping
    _held_out: HeldOut | None
    _whole: CompiledPredict
    _random: np.random.Generator
    _scale: float
    _partial: bool
    _numeric_targets: bool

    def _keep(self, arguments: dict[str, Any]) -> None:
        """Keep a constructor's arguments, as its ``locals()`` has them, under their names."""
        for name in arguments.keys() - {"self", "__class__"}:
            setattr(self, name, arguments[name])

    def _make_model(self, X: Array, outputs: int, random_state: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _make_model")

    def _make_optimizer(self, decay: float) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _make_optimizer")

    def _learn_targets(self, y: Any, classes: Any) -> Labels | Amounts:
        raise NotImplementedError(f"{type(self).__name__} must define _learn_targets")

    def _decay(self, rows: float) -> float:
        """Return how much of a weight is added to its gradient in steps of so many rows."""
        return 0.0

    def _use_decay(self, decay: float) -> None:
        """Tell the optimizer of it."""

    def _schedule(self, optimizer: Any) -> None:
        """Set the learning rate of the next epoch."""

    def _slow_down(self, optimizer: Any) -> bool:
        """Lower the learning rate where it gets no better, instead of stopping; return whether that was done."""
        return False

    def _input_options(self, fresh: bool) -> dict[str, Any]:
        """Return which inputs are taken, as options of scikit-learn's checks."""
        raise NotImplementedError(f"{type(self).__name__} must define _input_options")

    def _data(self, X: Any, y: Any, fresh: bool) -> tuple[Any, Any]:
        """Return checked inputs and targets."""
        options = {"multi_output": True, "y_numeric": self._numeric_targets} | self._input_options(fresh)
        pair: tuple[Any, Any] = validate_data(self, X, y, reset=fresh, accept_sparse=["csr", "csc"], **options)
        return pair

    def _inputs(self, X: Any) -> Any:
        """Return checked inputs of a fitted estimator."""
        return validate_data(self, X, reset=False, accept_sparse=["csr", "csc"], **self._input_options(False))

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, eval_set: Any, *, classes: Any = None, partial: bool = False
    ) -> Self:
        self._check()
        if self._goes_on(partial) and self.early_stopping and self.stopped_:
            return self
        with ExitStack() as undo:
            undo.callback(_restore, self, vars(self).copy())  # classes and network of the last fit belong together
            run = self._prepare(X, y, sample_weight, eval_set, classes, partial)
            self._train(run, undo.pop_all)
            undo.pop_all()
        if not partial:
            self._held_out = None
        return self

    def _goes_on(self, partial: bool) -> bool:
        """Whether a call is one more epoch of those before it."""
        return partial and hasattr(self, "optimizer_") and self._partial

    def _prepare(self, X: Any, y: Any, sample_weight: Any, eval_set: Any, classes: Any, partial: bool) -> Run:
        fresh = not hasattr(self, "optimizer_") or not (partial or self.warm_start)
        X, y = self._data(X, y, fresh)
        if fresh:
            self._targets = self._learn_targets(y, classes)
        else:
            self._targets.require_same(y, classes, partial)
        codes = self._targets.encode(y)
        weight = row_weights(y, sample_weight, self._class_weight(partial))
        X, codes, weight = without_zeros(X, codes, weight)
        random_state = check_random_state(self.random_state)
        if fresh:
            self._begin(X, random_state)
        if not self._goes_on(partial):
            self._partial = partial
            self._random = new_generator(random_state)
            take_over(self.model_, self._random)
            self._begin_run()
        X, codes, weight = self._hold_out(X, codes, weight, eval_set)
        target = self._target(codes)
        rows = self._rows_per_step(len(codes))
        decay = self._decay(rows if weight is None else rows * float(weight.mean()))
        if not partial or fresh:
            self.optimizer_ = self._make_optimizer(decay)
        callbacks = as_own_callbacks(self.callbacks, self.optimizer_)
        self._use_decay(decay)
        return Run(X, target, weight, rows, decay, callbacks, partial)

    def _begin(self, X: Any, random_state: Any) -> None:
        """Make the network and its criterion."""
        criterion = None if self._given_criterion() is None else self._make_criterion()
        model = as_module(self._make_model(X, self._targets.columns(criterion), random_state))
        first = dense(X[:2])
        outputs = np.asarray(evaluate(model, first))
        if outputs.ndim != 2:
            raise ShapeError(f"the module's output has shape {outputs.shape}, expected ({len(first)}, outputs)")
        self.model_, self.n_outputs_ = model, outputs.shape[1]
        self._scale = self._targets.scale if criterion is None else 1.0
        self.criterion_ = self._targets.criterion(self.n_outputs_) if criterion is None else criterion
        own = self.out_activation
        self.out_activation_ = out_activation_of(self.criterion_) if own is None else own
        self._targets.require_columns(criterion, outputs, np.asarray(self._out_activation(outputs)))
        self._whole = CompiledPredict(model)
        self.loss_curve_, self.t_ = [], 0

    def _begin_run(self) -> None:
        self.n_iter_, self.stopped_, self._held_out = 0, False, None
        self.validation_curve_, self.validation_scores_ = [], []
        self.best_loss_ = self.best_validation_score_ = None
        self._stopping = Stopping(self.n_iter_no_change, self.tol, keeps_weights=self.early_stopping)

    def _train(self, run: Run, begun: Callable[[], object]) -> None:
        """Train; ``begun`` is called when all has been checked, and before anything moves."""
        epochs = 1 if run.partial else self.max_iter
        progress = Progress(self, self._held_out, len(run.target), run.decay, begun)
        trainer = Trainer(self.model_, self.criterion_, self.optimizer_, [progress, *run.callbacks])
        trainer.validation_hint = "give fit an eval_set, or set early_stopping=True"
        watched = self._held_out if run.callbacks else None
        history = trainer.fit(
            run.X,
            run.target,
            epochs,
            run.rows,
            sample_weight=run.weight,
            shuffle=self.shuffle,
            seed=self._random,
            validation_data=None if watched is None else (watched.X, watched.target, watched.weight),
        )
        if history.stopped == "interrupted":
            warn("Training interrupted by user.")
        elif history.stopped == "epochs" and not run.partial:
            warn(f"max_iter={epochs} epochs have been trained, and the loss still gets better", ConvergenceWarning)
        if self.stopped_ or not run.partial:
            self._stopping.restore(self.model_)

    def _check(self) -> None:
        as_size(self.max_iter, "max_iter", smallest=1)
        as_at_least_zero(self.tol, "tol")
        for flag in ("shuffle", "warm_start", "early_stopping"):
            as_flag(getattr(self, flag), flag)
        if self.batch_size != "auto":
            as_size(self.batch_size, "batch_size", smallest=1)
        if self.n_iter_no_change != math.inf:
            as_size(self.n_iter_no_change, "n_iter_no_change", smallest=1)
        if not as_fraction(self.validation_fraction, "validation_fraction"):
            raise ValueError("validation_fraction must be above 0 and less than 1, got 0")
        if isinstance(self.out_activation, str) and self.out_activation not in OUT_ACTIVATIONS:
            names = ", ".join(map(repr, OUT_ACTIVATIONS))
            raise ValueError(f"out_activation must be one of {names}, or a function, got {self.out_activation!r}")

    def _make_criterion(self) -> Any:
        given = self._given_criterion()
        return as_criterion(given() if isinstance(given, type) else copy.deepcopy(given))

    def _given_criterion(self) -> Any:
        """Return the argument ``criterion``: of a name, the class that it stands for."""
        return self._criterion_named(self.criterion) if isinstance(self.criterion, str) else self.criterion

    def _criterion_named(self, name: str) -> Any:
        return name

    def _class_weight(self, partial: bool) -> Any:
        given = getattr(self, "class_weight", None)
        if partial and isinstance(given, str):
            raise ValueError(f"class_weight {given!r} needs all rows at once: give partial_fit a dict")
        return given

    def _rows_per_step(self, rows: int) -> int:
        return min(200 if self.batch_size == "auto" else int(self.batch_size), rows)

    def _target(self, codes: Array) -> Array:
        return self._targets.target(codes, self.criterion_, self.n_outputs_, self._dtype())

    def _dtype(self) -> Any:
        found = [parameter.array.dtype for parameter in protocol.all_parameters(self.model_)]
        return found[0] if found else np.dtype(np.float64)

    def _hold_out(self, X: Any, codes: Array, weight: Array | None, eval_set: Any) -> tuple[Any, Array, Array | None]:
        """Set the rows to watch; return those to train on."""
        if eval_set is not None:
            held, right, held_weight = as_eval_set(eval_set)
            held, right = self._data(held, right, fresh=False)
            right_codes = self._targets.encode(right)
            held_weight = row_weights(right, held_weight, self._class_weight(False), "the third of eval_set")
            self._held_out = HeldOut(held, right_codes, self._target(right_codes), held_weight)
        elif self.early_stopping and self._held_out is None:
            train, held = split_rows(codes, self.validation_fraction, self._random)
            held_weight = None if weight is None else weight[held]
            self._held_out = HeldOut(X[held], codes[held], self._target(codes[held]), held_weight)
            return X[train], codes[train], None if weight is None else weight[train]
        return X, codes, weight

    def _outputs(self, X: Any, predict: CompiledPredict | None = None) -> Array:
        """Return the outputs of the network, or of another one."""
        predict, rows = self._whole if predict is None else predict, X.shape[0]
        if rows <= _ROWS_AT_ONCE:
            return np.asarray(predict(dense(X)))
        starts = range(0, rows, _ROWS_AT_ONCE)
        return np.concatenate([predict(dense(X[start : start + _ROWS_AT_ONCE])) for start in starts])

    def _out_activation(self, outputs: Array) -> Array:
        """Return what the network's outputs mean."""
        own = self.out_activation_
        result: Array = (OUT_ACTIVATIONS[own] if isinstance(own, str) else own)(outputs)
        return result

    def _predictions(self, X: Any) -> Array:
        check_is_fitted(self)
        return self._out_activation(self._outputs(self._inputs(X)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        return tags


def _restore(estimator: Any, attributes: dict[str, Any]) -> None:
    vars(estimator).clear()
    vars(estimator).update(attributes)


def dense(X: Any) -> Any:
    """Return rows that may be sparse as an array."""
    return X.toarray() if hasattr(X, "toarray") else X
