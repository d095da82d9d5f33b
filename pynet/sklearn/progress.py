"""What happens between two epochs of an estimator: its figures, its learning rate, and whether to go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..callbacks import Callback
from .penalty import squared, weights_of

if TYPE_CHECKING:
    from ..training import Trainer
    from .base import NetworkEstimator
    from .rows import HeldOut


class Progress(Callback):
    """Writes an epoch's figures into an estimator's fitted attributes, and stops its Trainer."""

    def __init__(
        self,
        estimator: NetworkEstimator,
        held_out: HeldOut | None,
        rows: int,
        decay: float,
        begun: Callable[[], object],
    ) -> None:
        self.estimator, self.held_out, self.rows, self.decay = estimator, held_out, rows, decay
        self._weights, self._begun = weights_of(estimator.model_), begun

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Say so when the first one begins."""
        if trainer.epoch == 1:
            self._begun()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Take note of an epoch."""
        fitted = self.estimator
        loss = trainer.history["loss"][-1] / fitted._scale
        if self.decay:
            loss += 0.5 * self.decay * squared(self._weights)
        fitted.loss_ = loss
        fitted.loss_curve_.append(loss)
        fitted.n_iter_ += 1
        fitted.t_ += self.rows
        watched, told = loss, ""
        if self.held_out is not None:
            validation, score = self._validate(trainer)
            fitted.validation_curve_.append(validation)
            fitted.validation_scores_.append(score)
            told = f", validation loss = {validation:.8f}, score = {score:f}"
            watched = validation if fitted.early_stopping else loss
        if fitted.verbose:
            print(f"Iteration {fitted.n_iter_}, loss = {loss:.8f}{told}")
        self._watch(trainer, watched)

    def _validate(self, trainer: Trainer) -> tuple[float, float]:
        assert self.held_out is not None
        X, codes, target, weight = self.held_out
        outputs = self.estimator._outputs(X)
        if weight is None:
            loss = float(trainer.criterion.forward(outputs, target))
        else:
            loss = float(np.sum(trainer.criterion.row_losses(outputs, target) * weight) / np.mean(weight))
        predictions = self.estimator._out_activation(outputs)
        return loss / self.estimator._scale, self.estimator._targets.score(predictions, codes, trainer.criterion)

    def _watch(self, trainer: Trainer, watched: float) -> None:
        fitted, stopping = self.estimator, self.estimator._stopping
        best = stopping.best
        stalled = stopping.is_stalled(watched, trainer.model)
        if not fitted.early_stopping:
            fitted.best_loss_ = stopping.best
        elif stopping.best < best:
            fitted.best_validation_score_ = fitted.validation_scores_[-1]
        fitted._schedule(trainer.optimizer)
        if stalled and not fitted._slow_down(trainer.optimizer):
            figure = "validation loss" if fitted.early_stopping else "training loss"
            fitted.stopped_ = True
            trainer.stop(f"the {figure} has not improved by {fitted.tol} for {fitted.n_iter_no_change} epochs")
