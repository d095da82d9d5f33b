"""ReduceLROnPlateau lowers the learning rate when a metric no longer gets better."""

import math
from collections.abc import Mapping
from typing import Any

from ...checks import as_at_least_zero, as_choice, as_fraction, as_number, as_size
from ..optimizer import Optimizer
from .schedule import LRScheduler, users_lr


class ReduceLROnPlateau(LRScheduler):
    """``lr = max(lr * factor, min_lr)`` after more than ``patience`` epochs without a better metric, as PyTorch's.

    Better than the best is, with 'min', below ``best * (1 - threshold)`` ('rel') or ``best - threshold`` ('abs'); with
    'max', above ``best * (1 + threshold)`` or ``best + threshold``. NaN is never better.

    Call ``step(metrics)`` after every epoch. What is lowered is the ``lr`` that the optimizer has, whoever set it.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to lower.
    mode : {'min', 'max'}, default 'min'
        Whether a lower or a higher metric is better.
    factor : float, default 0.1
        What the learning rate is multiplied by, in [0, 1).
    patience : int, default 10
        How many epochs without a better metric are let pass; at least 0.
    threshold : float, default 1e-4
        As in the formula; at least 0.
    threshold_mode : {'rel', 'abs'}, default 'rel'
        As in the formula.
    cooldown : int, default 0
        How many epochs after a reduction do not count; at least 0.
    min_lr : float, default 0
        The lowest learning rate; at least 0.
    eps : float, default 1e-8
        A reduction by no more than this is left out; at least 0.

    Attributes
    ----------
    best : float or None
        The best metric so far; None before there is one.
    num_bad_epochs, cooldown_counter : int
        Epochs since the last better one or reduction; epochs of cooldown that are left.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or out of range.

    References
    ----------
    PyTorch, ``torch.optim.lr_scheduler.ReduceLROnPlateau``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        self.mode = as_choice(mode, "mode", ("min", "max"))
        self.factor = as_fraction(factor, "factor")
        self.patience, self.cooldown = as_size(patience, "patience"), as_size(cooldown, "cooldown")
        self.threshold = as_at_least_zero(threshold, "threshold")
        self.threshold_mode = as_choice(threshold_mode, "threshold_mode", ("rel", "abs"))
        self.min_lr, self.eps = as_at_least_zero(min_lr, "min_lr"), as_at_least_zero(eps, "eps")
        self.best: float | None = None
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    def step(self, metrics: float) -> None:  # type: ignore[override]
        """Take note of an epoch's metric, and lower the learning rate if it is time.

        Raises
        ------
        TypeError
            If ``metrics`` is no number.
        """
        metric = as_number(metrics, "metrics")
        if self._is_better(metric):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        self._go_to(self.last_epoch + 1)
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def _is_better(self, metric: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        best = sign * math.inf if self.best is None else self.best
        if self.threshold_mode == "rel":
            return sign * metric < sign * best * (1 - sign * self.threshold)
        return sign * metric < sign * best - self.threshold

    def _reduce(self) -> None:
        lr = max(self.optimizer.lr * self.factor, self.min_lr)
        if self.optimizer.lr - lr > self.eps:
            self._write(lr)

    def _go_to(self, epoch: int) -> None:
        self.base_lr = users_lr(self.optimizer)  # the user may have assigned another since
        self._write(self.optimizer.lr)
        self.last_epoch = epoch

    def state_dict(self) -> dict[str, Any]:
        """Return how far the schedule is, with its best metric and its counters."""
        own = {"best": self.best, "num_bad_epochs": self.num_bad_epochs, "cooldown_counter": self.cooldown_counter}
        return super().state_dict() | own

    def _checked(self, state: Mapping[str, Any]) -> dict[str, Any]:
        checked = super()._checked(state)
        checked["best"] = None if state["best"] is None else as_number(state["best"], "best")
        return checked | {name: as_size(state[name], name) for name in ("num_bad_epochs", "cooldown_counter")}

    def _take(self, state: dict[str, Any]) -> None:
        super()._take(state)
        self.best = state["best"]
        self.num_bad_epochs, self.cooldown_counter = state["num_bad_epochs"], state["cooldown_counter"]
