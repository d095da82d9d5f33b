"""SequentialLR lets schedules follow one another: a warm-up, then a decay."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...checks import as_items, as_size
from ..optimizer import Optimizer
from .reduce_lr_on_plateau import ReduceLROnPlateau
from .schedule import LRScheduler


class SequentialLR(LRScheduler):
    """``schedulers[i].lr_at(epoch - milestones[i - 1])``, i the number of milestones <= epoch, as PyTorch's.

    Each schedule starts from 0 at its milestone, the first at 0, and from its own ``base_lr``.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to set.
    schedulers : list of LRScheduler
        At least one, all of them the same optimizer's; they are stepped here, and by nobody else.
    milestones : list of int
        At which epochs the second, third, ... begin: ascending, one fewer than schedules.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or out of range; if there is a `ReduceLROnPlateau`, whose ``step`` needs
        a metric; if the numbers of schedules and milestones do not go together.

    Notes
    -----
    A `OneCycleLR` among them leaves the others' ``base_lr`` alone; PyTorch's replaces it.

    References
    ----------
    PyTorch, ``torch.optim.lr_scheduler.SequentialLR``.
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]) -> None:
        self.schedulers = _as_schedulers(schedulers, optimizer)
        self.milestones = _as_milestones(milestones, len(self.schedulers) - 1)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        schedule, its_epoch = self._part_at(epoch)
        return schedule.lr_at(its_epoch)

    def _part_at(self, epoch: int) -> tuple[LRScheduler, int]:
        place = bisect_right(self.milestones, epoch)
        return self.schedulers[place], epoch - (self.milestones[place - 1] if place else 0)

    def _go_to(self, epoch: int) -> None:
        schedule, its_epoch = self._part_at(epoch)
        schedule._go_to(its_epoch)
        self.base_lr, self._last_lr, self.last_epoch = schedule.base_lr, schedule._last_lr, epoch

    def state_dict(self) -> dict[str, Any]:
        """Return how far this schedule is, and each of its schedules."""
        return super().state_dict() | {"schedulers": [schedule.state_dict() for schedule in self.schedulers]}

    def _checked(self, state: Mapping[str, Any]) -> dict[str, Any]:
        checked, parts = super()._checked(state), as_items(state["schedulers"], "schedulers")
        if len(parts) != len(self.schedulers):
            raise ValueError(f"state has {len(parts)} schedulers, expected {len(self.schedulers)}")
        pairs = zip(self.schedulers, parts, strict=True)
        return checked | {"schedulers": [schedule._checked(part) for schedule, part in pairs]}

    def _take(self, state: dict[str, Any]) -> None:
        for schedule, part in zip(self.schedulers, state["schedulers"], strict=True):
            schedule._take(part)
        super()._take(state)


def _as_schedulers(schedulers: Any, optimizer: Any) -> list[LRScheduler]:
    if not isinstance(schedulers, Iterable):
        raise TypeError(f"schedulers must be a list of schedules, got {schedulers!r}")
    found = list(schedulers)
    if not found:
        raise ValueError("schedulers must have at least one schedule, got none")
    for i, schedule in enumerate(found):
        if not isinstance(schedule, LRScheduler):
            raise TypeError(f"schedulers[{i}] must be a schedule, got {schedule!r}")
        if isinstance(schedule, ReduceLROnPlateau):
            raise ValueError(f"schedulers[{i}] is a ReduceLROnPlateau, whose step needs a metric")
        if isinstance(optimizer, Optimizer) and schedule.optimizer is not optimizer:
            raise ValueError(f"schedulers[{i}] must be of the same optimizer, got one of another: {schedule!r}")
    return found


def _as_milestones(milestones: Any, expected: int) -> list[int]:
    if not isinstance(milestones, Iterable):
        raise TypeError(f"milestones must be a list of ints, got {milestones!r}")
    found = [as_size(milestone, f"milestones[{i}]") for i, milestone in enumerate(milestones)]
    if len(found) != expected:
        raise ValueError(f"milestones must be one fewer than schedulers, {expected}, got {len(found)}")
    if found != sorted(found):
        raise ValueError(f"milestones must be ascending, got {found}")
    return found
