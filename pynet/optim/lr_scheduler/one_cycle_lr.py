"""OneCycleLR lets the learning rate rise and fall once, and momentum fall and rise."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...checks import as_at_least_zero, as_choice, as_flag, as_fraction, as_positive, as_share, as_size
from ..optimizer import Optimizer
from .schedule import LRScheduler


class _Phase(NamedTuple):
    """From which learning rate and momentum to which, up to and with which step."""

    end: float
    lr: tuple[float, float]
    momentum: tuple[float, float]


class OneCycleLR(LRScheduler):
    """From ``max_lr / div_factor`` up to ``max_lr``, then down to ``max_lr / div_factor / final_div_factor``.

    As PyTorch's. The rise ends with step ``pct_start * total_steps - 1``, the fall with ``total_steps - 1``; with
    ``three_phase`` the fall first mirrors the rise, and goes to the lowest from there. In a phase's part p of its way
    the value is ``end + (start - end) * (1 + cos(pi * p)) / 2``, or ``start + (end - start) * p`` with ``'linear'``.
    Momentum goes the opposite way: from ``max_momentum`` to ``base_momentum`` while the learning rate rises, and back.

    Call `step` after every batch, not every epoch.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr``, and ``momentum`` or first of ``betas``, to set. The ``lr`` that it has does not count.
    max_lr : float
        The highest learning rate; at least 0.
    total_steps : int, optional
        Length of the cycle; at least 1.
    epochs, steps_per_epoch : int, optional
        Their product is the length, without ``total_steps``; at least 1.
    pct_start : float, default 0.3
        Part of the cycle in which the learning rate rises, from 0 to 1.
    anneal_strategy : {'cos', 'linear'}, default 'cos'
        The shape of the way.
    cycle_momentum : bool, default True
        Whether to set momentum too.
    base_momentum, max_momentum : float, default 0.85, 0.95
        The lowest and the highest, in [0, 1).
    div_factor, final_div_factor : float, default 25, 1e4
        As in the formula; above 0.
    three_phase : bool, default False
        Whether the fall has two phases.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or out of range; if there is no length; if momentum is to be set in an
        optimizer that has none; from `step`, if it is called more than ``total_steps`` times.

    Notes
    -----
    The last of ``total_steps`` calls of `step` comes after the last batch and goes past the end of the cycle: as in
    PyTorch for 'cos', while 'linear' stays at the end, where PyTorch's learning rate gets negative. A phase of no
    length, as of ``total_steps=10, pct_start=0.1``, is at its end, where PyTorch divides by zero.

    References
    ----------
    Smith, Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        self.max_lr = as_at_least_zero(max_lr, "max_lr")
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        self.epochs, self.steps_per_epoch = epochs, steps_per_epoch
        self.pct_start = as_share(pct_start, "pct_start")
        self.anneal_strategy = as_choice(anneal_strategy, "anneal_strategy", ("cos", "linear"))
        self.cycle_momentum = as_flag(cycle_momentum, "cycle_momentum")
        self.three_phase = as_flag(three_phase, "three_phase")
        self.base_momentum = as_fraction(base_momentum, "base_momentum")
        self.max_momentum = as_fraction(max_momentum, "max_momentum")
        self.div_factor = as_positive(div_factor, "div_factor")
        self.final_div_factor = as_positive(final_div_factor, "final_div_factor")
        if self.cycle_momentum and isinstance(optimizer, Optimizer) and _momentum_name(optimizer) is None:
            raise ValueError(
                f"optimizer must have momentum or betas, got {type(optimizer).__name__}: use cycle_momentum=False"
            )
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        phase, part = self._phase_at(epoch)
        return self._between(*phase.lr, part)

    def momentum_at(self, epoch: int) -> float:
        """Return the momentum, or first of ``betas``, after ``epoch`` steps."""
        phase, part = self._phase_at(epoch)
        return self._between(*phase.momentum, part)

    def _phases(self) -> list[_Phase]:
        rise, last = self.pct_start * self.total_steps, self.total_steps - 1
        first_lr = self.max_lr / self.div_factor
        last_lr = first_lr / self.final_div_factor
        low, high = self.base_momentum, self.max_momentum
        phases = [_Phase(rise - 1, (first_lr, self.max_lr), (high, low))]
        if self.three_phase:
            phases.append(_Phase(2 * rise - 2, (self.max_lr, first_lr), (low, high)))
            return [*phases, _Phase(last, (first_lr, last_lr), (high, high))]
        return [*phases, _Phase(last, (self.max_lr, last_lr), (low, high))]

    def _phase_at(self, epoch: int) -> tuple[_Phase, float]:
        """Return the phase that a step is in, and what part of it is done."""
        if epoch > self.total_steps:
            raise ValueError(f"the cycle has {self.total_steps} steps, and this is step {epoch}")
        start, *later = self._phases()
        begin = 0.0
        phase = start
        for following in later:
            if epoch <= phase.end:
                break
            begin, phase = phase.end, following
        length = phase.end - begin
        return phase, (epoch - begin) / length if length else 1.0

    def _between(self, start: float, end: float, part: float) -> float:
        if self.anneal_strategy == "cos":
            return end + (start - end) / 2 * (1 + math.cos(math.pi * part))
        return start + (end - start) * min(max(part, 0), 1)

    def _checked(self, state: Mapping[str, Any]) -> dict[str, Any]:
        checked = super()._checked(state)
        self._phase_at(checked["last_epoch"])
        return checked

    def _take(self, state: dict[str, Any]) -> None:
        super()._take(state)
        self._write_momentum(self.last_epoch)

    def _go_to(self, epoch: int) -> None:
        super()._go_to(epoch)
        self._write_momentum(epoch)

    def _write_momentum(self, epoch: int) -> None:
        if not self.cycle_momentum:
            return
        optimizer: Any = self.optimizer
        if _momentum_name(optimizer) == "betas":
            optimizer.betas = (self.momentum_at(epoch), optimizer.betas[1])
        else:
            optimizer.momentum = self.momentum_at(epoch)


def _length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        return as_size(total_steps, "total_steps", 1)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("the cycle has no length: give total_steps, or both epochs and steps_per_epoch")
    return as_size(epochs, "epochs", 1) * as_size(steps_per_epoch, "steps_per_epoch", 1)


def _momentum_name(optimizer: Optimizer) -> str | None:
    return next((name for name in ("betas", "momentum") if hasattr(optimizer, name)), None)
