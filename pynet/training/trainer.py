"""Trainer: the training loop, so that nobody needs to write it again."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import protocol
from ..arrays import Array, as_array, as_input, as_row_weights, native_float
from ..callbacks.callback import Callback
from ..checks import as_flag, as_positive, as_size
from ..compiled import CompiledStep
from ..compiled.by_modules import buffers_of, loss_of, require_row_losses, step_by_modules
from ..data.batches import Rows, batch_ends, batches
from ..data.loader import as_rows
from ..errors import CheckpointError, DivergedError, ShapeError, StateError
from ..inspection import trace_nan
from ..metrics import Metric, MetricLike, as_metrics
from ..random import Randomness, Seed
from ..replay import evaluate
from ..roles import as_criterion, as_module, as_optimizer
from ..saving import told_of
from ..snapshot import restore_snapshot, take_snapshot
from . import checkpoint, random_state
from .arguments import as_callbacks, as_validation_data, warn_of_scores
from .history import History
from .interruption import Interruption, noted_interruption
from .parts import Part, split
from .samples import Batch, Samples, row_weights
from .sums import Sums

_ROWS_AT_ONCE = 1024  # in evaluation, where more would only take memory
_PROGRESS = 0.02  # seconds between two looks at it


class _Run(NamedTuple):
    """What one `fit` works on."""

    train: Part
    validation: Part | None
    epochs: int
    batch_size: int
    shuffle: bool
    order: Randomness
    start: dict[str, Any]  # the random state before anything was drawn
    ends: Array  # of the batches among the rows of an epoch
    sizes: Array  # of the batches


class Trainer:
    """Trains a model on arrays, watches a validation part, and calls callbacks.

    Steps are compiled (see `pynet.compile_step`) wherever the model can be, and whole epochs run in one call where
    nobody wants to see every batch: neither metrics nor a callback with ``on_batch_end``. Models with layers of one's
    own are trained module by module. Compiled epochs leave ``grad_*`` as they are, unless a callback of one's own sees
    every batch.

    Parameters
    ----------
    model : module
        What to train; a user's own too.
    criterion : Criterion
        What its outputs cost: one number per batch.
    optimizer : optimizer
        Made for this model: ``pynet.optim.Adam(model)``; or anything with ``step()``.
    callbacks : iterable of Callback, default ()
        What else is to happen: see `pynet.callbacks`. They are called in this order.
    metrics : iterable, default ()
        Figures beside the loss: ``"accuracy"``, ``"top_5_accuracy"``, ``"mae"``, ``"r2"``, a `pynet.metrics.Metric`, or
        a function of ``(output, target)``, which is averaged over batches by their rows.
    clip_norm, clip_value : float, optional
        Before each step: what the norm of all gradients together, or the size of each number in them, is limited to.

    Attributes
    ----------
    history : History
        Of the last `fit`, also of one that ended with an error.
    epoch, epochs : int
        The epoch that is running, from 1 on, and how many there are to be.
    batch, batches : int
        How many batches of it are done, and how many it has.
    loss : float
        The mean loss of the epoch so far.
    validation_hint : str
        What callbacks that watch figures of the validation say where there are none.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or the optimizer is another model's.

    Examples
    --------
    >>> trainer = Trainer(model, pynet.CrossEntropyLoss(), pynet.optim.Adam(model), metrics=["accuracy"])
    >>> history = trainer.fit(X, y, epochs=20, validation_split=0.2)  # doctest: +SKIP
    """

    validation_hint = "give fit validation_data or validation_split"

    def __init__(
        self,
        model: Any,
        criterion: Any,
        optimizer: Any,
        callbacks: Iterable[Callback] = (),
        *,
        metrics: Iterable[MetricLike] | MetricLike = (),
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.model, self.criterion = as_module(model), as_criterion(criterion)
        self.optimizer = as_optimizer(optimizer, model)
        self.callbacks = as_callbacks(callbacks)
        self.metrics: list[Metric] = as_metrics(metrics)
        self.clip_norm = None if clip_norm is None else as_positive(clip_norm, "clip_norm")
        self.clip_value = None if clip_value is None else as_positive(clip_value, "clip_value")
        self.history = History()
        self.epoch = self.epochs = self.batch = self.batches = 0
        self.loss = math.nan
        self._run: _Run | None = None
        self._compiled: CompiledStep | None = None
        self._buffers: list[Array] = []
        self._stopping = ""

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        epochs: int = 10,
        batch_size: int = 32,
        *,
        validation_data: Sequence[npt.ArrayLike | None] | None = None,
        validation_split: float | None = None,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: dict[Any, float] | str | None = None,
        shuffle: bool = True,
        seed: Seed = None,
        resume: str | os.PathLike[str] | None = None,
    ) -> History:
        """Train; the model is in evaluation mode afterwards.

        Parameters
        ----------
        X : array (N, ...)
            One row per sample. Converted to the model's dtype once; a memory-mapped array is never read as a whole, and
            a sparse matrix of SciPy becomes dense batch by batch.
        y : array (N,) of int, or (N, ...)
            Labels, or numbers; ``(N,)`` is taken as ``(N, 1)`` for a model of one output column.
        epochs : int, default 10
            How often all rows are seen; those of the run that is resumed count.
        batch_size : int, default 32
            Rows per step. A last batch of one row joins the one before it, for BatchNorm needs two.
        validation_data : (X, y) or (X, y, sample_weight), optional
            On which loss and metrics are taken after every epoch, in evaluation mode: ``val_loss`` and so on.
        validation_split : float in (0, 1), optional
            Take that share of the rows, drawn at random, for it instead.
        sample_weight : array (N,), optional
            What each row counts in the loss; divided by its mean over the rows trained on, and in ``val_loss`` over
            those held out. Metrics count each row once. Of a criterion of one's own it needs ``row_losses``.
        class_weight : dict or "balanced", optional
            What the rows of each label count besides, 1 if not named; balanced: all classes the same in sum. It counts
            for the rows of X, also for those of ``validation_split``, and not for ``validation_data``.
        shuffle : bool, default True
            Whether each epoch takes the rows in a new order.
        seed : int or numpy.random.Generator, optional
            Where that order and the split come from; NumPy's global generator unless given.
        resume : path, optional
            A file of `pynet.callbacks.Checkpoint`: go on from there. With the same arguments otherwise, and the same
            number of threads, the run ends with the very bits of one that was never stopped.

        Returns
        -------
        History
            The figures per epoch. Ctrl-C ends the run after its present batch: then the history has the epochs
            that are complete, and ``history.stopped`` is ``"interrupted"``; pressed twice, it is raised.

        Raises
        ------
        DivergedError
            If a loss is not finite: names epoch, batch, and what was first not finite. That batch has moved nothing;
            `history` has the epochs before.
        ShapeError, TypeError, ValueError
            If data do not fit each other or the model. Nothing has moved then.
        CheckpointError
            If the file to resume from is damaged, or of another run.

        Warns
        -----
        UserWarning
            If the criterion is `pynet.CrossEntropy` and what the model returns for the first rows are no probabilities.
        """
        if validation_data is not None and validation_split is not None:
            raise ValueError("give validation_data or validation_split, not both")
        epochs, batch_size = as_size(epochs, "epochs"), as_size(batch_size, "batch_size", smallest=1)
        order, shuffle = Randomness(seed), as_flag(shuffle, "shuffle")
        samples = self._samples(X, y)
        weight = row_weights(samples.y, sample_weight, class_weight)
        if weight is not None:
            require_row_losses(self.criterion)
        held_out = None if validation_data is None else self._held_out(validation_data)
        resumed = None if resume is None else self._read(resume)
        warn_of_scores(self.criterion, samples.first_outputs)
        with ExitStack() as undo:
            if resumed is not None:
                undo.callback(_Before(self, order).restore)
                with told_of(resumed.path):
                    random_state.restore(resumed.run["random"]["start"], self.model, order)
            start = random_state.capture(self.model, order)
            undo.callback(random_state.restore, start, self.model, order)
            train, validation = split(samples, held_out, validation_split, order)
            samples.set_weight(weight, train.rows)
            if validation is not None and not validation.mean_weight:
                raise ValueError("the weights of the rows held out must not all be 0")
            ends = np.array(batch_ends(train.size, batch_size))
            sizes = np.diff(ends, prepend=0)
            self._run = _Run(train, validation, epochs, batch_size, shuffle, order, start, ends, sizes)
            try:
                self._begin(resumed)
                undo.pop_all()  # it has begun
                with noted_interruption() as interruption:
                    self._train(self._run, interruption)
            finally:
                protocol.set_mode(self.model, training=False)
                try:
                    self._call("on_fit_end")
                finally:
                    self._run = None
        return self.history

    def evaluate(self, X: npt.ArrayLike, y: npt.ArrayLike, batch_size: int = _ROWS_AT_ONCE) -> dict[str, float]:
        """Return loss and metrics on other rows, in evaluation mode; the model's modes stay as they are.

        Parameters
        ----------
        X, y : array
            As in `fit`.
        batch_size : int, default 1024
            Rows at once. The figures depend on it only for a metric that is a function, and for a loss that is no mean
            over the rows.
        """
        samples = self._samples(X, y)
        return self._evaluate(Part(samples, None), as_size(batch_size, "batch_size", smallest=1))

    def predict(self, X: npt.ArrayLike, batch_size: int = _ROWS_AT_ONCE, out: Array | None = None) -> Array:
        """Return the model's outputs in evaluation mode, computed batch by batch; its modes stay as they are.

        Parameters
        ----------
        X : array (N, ...)
            May be memory-mapped.
        batch_size : int, default 1024
            Rows at once: beside the outputs, no more memory is taken than for these.
        out : array, optional
            Where to write the outputs; a memory-mapped one, if they are too many.
        """
        size = as_size(batch_size, "batch_size", smallest=1)
        rows, dtype = as_rows(as_array(X, "X"), "X"), self._dtype()
        if out is not None:
            _require_out(out)
        with protocol.evaluating(self.model):
            for start in range(0, max(len(rows), 1), size):
                x = as_input(rows[start : start + size], "X", dtype)
                output = np.asarray(self.model.forward(x))
                if out is None:
                    out = np.empty((len(rows), *output.shape[1:]), output.dtype)
                elif start == 0 and out.shape != (len(rows), *output.shape[1:]):
                    raise ShapeError(f"out has shape {out.shape}, expected {(len(rows), *output.shape[1:])}")
                if out.dtype.kind != "f" or not np.can_cast(output.dtype, out.dtype, "same_kind"):
                    raise TypeError(f"out must hold {output.dtype}, got {out.dtype}")
                out[start : start + size] = output
        assert out is not None  # there is a batch even of no rows
        return out

    def stop(self, reason: str) -> None:
        """End the run after the present epoch; for callbacks."""
        self._stopping = reason

    @property
    def figures(self) -> list[str]:
        """The names of the figures that each epoch of the present run gets: what a callback can watch."""
        names = ["loss", *(metric.name for metric in self.metrics)]
        held_out = [f"val_{name}" for name in names] if self._run and self._run.validation else []
        return [*names, *held_out, "lr", "time"]

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Write model and run to a file from which `fit` can resume: for callbacks, at the end of an epoch.

        Raises
        ------
        StateError
            If there is no run.
        TypeError, ValueError, OSError
            As `pynet.save`.
        """
        if self._run is None:
            raise StateError("there is no run to save: use the callback Checkpoint, or pynet.save for the model alone")
        states = [[type(callback).__name__, callback.state_dict()] for callback in self._with_state()]
        run = {
            "history": {name: np.array(values) for name, values in self.history.items()},
            "stopping": self._stopping,
            "optimizer": self.optimizer.state_dict(),
            "callbacks": states,
            "random": {"start": self._run.start, "now": random_state.capture(self.model, self._run.order)},
        }
        checkpoint.write(path, self.model, run)

    def _with_state(self) -> list[Callback]:
        return [callback for callback in self.callbacks if type(callback).state_dict is not Callback.state_dict]

    def _read(self, path: str | os.PathLike[str]) -> checkpoint.Saved:
        saved = checkpoint.read(path)
        written, given = [name for name, _ in saved.run["callbacks"]], [type(c).__name__ for c in self._with_state()]
        if written != given:
            raise CheckpointError(f"{os.fspath(path)} was written with the callbacks {written}, there are {given}")
        return saved

    def _begin(self, resumed: checkpoint.Saved | None) -> None:
        """Set everything to the beginning of a run, or to where another one was."""
        assert self._run is not None
        self.history = History()
        self.epoch, self.epochs, self.loss, self._stopping = 0, self._run.epochs, math.nan, ""
        self.batch, self.batches = 0, len(self._run.ends)
        if resumed is None:
            self._call("on_fit_begin")
            return
        run = resumed.run
        with told_of(resumed.path):
            self.model.load_state_dict(resumed.state)
            self.optimizer.load_state_dict(run["optimizer"])
        self.history = History({name: values.tolist() for name, values in run["history"].items()})
        self.epoch, self._stopping = self.history.epochs, run["stopping"]
        self._call("on_fit_begin")
        with told_of(resumed.path):
            for callback, (_, state) in zip(self._with_state(), run["callbacks"], strict=True):
                callback.load_state_dict(state)
            random_state.restore(run["random"]["now"], self.model, self._run.order)

    def _train(self, run: _Run, interruption: Interruption) -> None:
        while self.history.epochs < run.epochs and not self._stopping:
            start = time.perf_counter()
            self.epoch = self.history.epochs + 1
            self._call("on_epoch_begin")
            try:
                figures = self._train_epoch(run, interruption)
            finally:
                self._call("on_batches_end")
            if interruption.requested:
                self._stopping = "interrupted"
                break
            if run.validation is not None:
                held_out = self._evaluate(run.validation, max(run.batch_size, _ROWS_AT_ONCE))
                figures |= {f"val_{name}": value for name, value in held_out.items()}
            figures["lr"] = float(getattr(self.optimizer, "lr", math.nan))
            self.history.append(figures | {"time": time.perf_counter() - start})
            self._call("on_epoch_end")
            self._call("on_epoch_complete")
            if interruption.requested:
                self._stopping = "interrupted"
        self.history.stopped = self._stopping or "epochs"

    def _train_epoch(self, run: _Run, interruption: Interruption) -> dict[str, float]:
        protocol.set_mode(self.model, training=True)
        order, count = run.train.rows, run.train.size
        if run.shuffle:
            drawn = run.order.permutation(count)
            order = drawn if order is None else order[drawn]
        step = self._compiled = self._step_for_now()
        samples, watching = run.train.samples, [callback for callback in self.callbacks if callback.wants_batches]
        step.expect(samples.X)
        compiled = step.compiled
        if compiled and not watching and not self.metrics and samples.lies_in_memory:
            return self._run_epoch(step, run, order, interruption)
        self._buffers = buffers_of(self.model)
        sums, shown = Sums(self.metrics), time.perf_counter()
        shows = not all(protocol.is_ours(type(callback)) for callback in watching)
        for self.batch, rows in enumerate(batches(count, run.batch_size, order), 1):
            batch = samples.batch(rows)
            loss, output = self._run_step(step, batch, shows) if compiled else self._step(batch)
            if not math.isfinite(loss):
                raise DivergedError(self._why(loss, samples, rows))
            sums.add(loss, output, batch.target)
            self.loss = sums.loss
            self._call("on_batch_end")
            if self.batch == self.batches or interruption.requested or time.perf_counter() - shown > _PROGRESS:
                self._call("on_progress")
                shown = time.perf_counter()
            if interruption.requested:
                break
        return sums.figures()

    def _step_for_now(self) -> CompiledStep:
        """Return a step with the Trainer's present attributes, which callbacks may assign."""
        step = self._compiled
        if step is None or (step.model, step.criterion, step.optimizer) != (self.model, self.criterion, self.optimizer):
            step = CompiledStep(self.model, self.criterion, self.optimizer)
        if (step.clip_norm, step.clip_value) != (self.clip_norm, self.clip_value):
            step.clip_norm, step.clip_value = self.clip_norm, self.clip_value
        return step

    def _run_epoch(
        self, step: CompiledStep, run: _Run, order: Array | None, interruption: Interruption
    ) -> dict[str, float]:
        """Run all batches of an epoch in one call, but for a look at the world now and then."""
        samples, ends, losses = run.train.samples, run.ends, np.zeros(len(run.ends))

        def progress(done: int) -> bool:
            self.batch, self.loss = done, float((losses[:done] * run.sizes[:done]).sum() / ends[done - 1])
            self._call("on_progress")
            return interruption.requested

        order = np.arange(len(samples)) if order is None else order
        done = step.run(samples.X, samples.y, order, ends, losses, progress, True, samples.weight)
        if done < len(ends) and not math.isfinite(losses[done]):
            self.batch = done + 1
            rows = order[ends[done] - run.sizes[done] : ends[done]]
            raise DivergedError(self._why(losses[done], samples, rows))
        return {"loss": self.loss}

    def _run_step(self, step: CompiledStep, batch: Batch, shows: bool) -> tuple[float, Array | None]:
        """Run one training step as one call; for callbacks of others with the model's output and its gradients."""
        x, target, weight = batch
        loss = step.finite_step(x, target, shows, weight)
        output = step.output if shows or self.metrics else None
        if shows:
            self.model.output = output
        return loss, output

    def _step(self, batch: Batch) -> tuple[float, Array]:
        """Run one training step module by module; return loss and output."""
        x, target, weight = batch
        return step_by_modules(self, x, target, weight, buffers=self._buffers)

    def _why(self, loss: float, samples: Samples, rows: Rows) -> str:
        where = f"the loss is {loss} in epoch {self.epoch}, batch {self.batch}"
        in_data = samples.not_finite(rows)
        if in_data:
            return f"{where}: {in_data}; this batch has moved nothing"
        found = trace_nan(self.model, samples.inputs(rows))
        cause = "all outputs of the model are finite" if found is None else str(found)
        return (
            f"{where}: {cause}. "
            "A smaller learning rate, clip_norm= or scaled inputs may help; this batch has moved nothing"
        )

    def _evaluate(self, part: Part, batch_size: int) -> dict[str, float]:
        sums = Sums(self.metrics)
        with protocol.evaluating(self.model):
            for rows in batches(part.size, batch_size, part.rows):
                x, target, weight = part.samples.batch(rows)
                output = self.model.forward(x)
                sums.add(loss_of(self.criterion, output, target, weight), output, target)
        figures = sums.figures()
        return figures | {"loss": figures["loss"] / part.mean_weight}

    def _held_out(self, validation_data: Any) -> Samples:
        X, y, weight = as_validation_data(validation_data)
        samples = self._samples(X, y, ("X_val", "y_val"))
        if weight is not None:
            require_row_losses(self.criterion)
            samples.set_weight(as_row_weights(weight, "weight_val", len(samples)), None, "watch")
        return samples

    def _samples(self, X: npt.ArrayLike, y: npt.ArrayLike, names: tuple[str, str] = ("X", "y")) -> Samples:
        """Return data as the model takes them; raise now what its first layer would say of their shape."""
        samples = Samples(X, y, self._dtype(), names)
        output = np.asarray(evaluate(self.model, samples.inputs(slice(0, 8))))
        labels = samples.y.dtype.kind != "f" and getattr(self.criterion, "takes_labels", False)
        if output.ndim == 2 and output.shape[1] == 1 and not labels:
            samples.use_columns()
        samples.require_fit(self.criterion, output)
        samples.first_outputs = output
        return samples

    def _dtype(self) -> np.dtype[Any] | None:
        """Return the dtype of the model's first parameter: what its first layer would convert inputs to."""
        found = (native_float(parameter.array.dtype) for parameter in protocol.all_parameters(self.model))
        return next((dtype for dtype in found if dtype is not None), None)

    def _call(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def __repr__(self) -> str:
        return f"Trainer({type(self.model).__name__}, {self.criterion!r}, {self.optimizer!r})"


class _Before:
    """Model, optimizer and random state, to be put back if a run cannot be resumed."""

    def __init__(self, trainer: Trainer, order: Randomness) -> None:
        self._trainer, self._order = trainer, order
        self._weights, self._optimizer = take_snapshot(trainer.model), trainer.optimizer.state_dict()
        self._random = random_state.capture(trainer.model, order)

    def restore(self) -> None:
        """Put all back."""
        restore_snapshot(self._trainer.model, self._weights)
        self._trainer.optimizer.load_state_dict(self._optimizer)
        random_state.restore(self._random, self._trainer.model, self._order)


def _require_out(out: Any) -> None:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an array, got {type(out).__name__}")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
