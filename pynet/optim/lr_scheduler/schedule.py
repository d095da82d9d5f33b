"""What schedules share: the optimizer, the learning rate they start from, and their state."""

from collections.abc import Mapping
from typing import Any

from ...checks import as_at_least_zero, as_size, require_entries
from ...describe import call_text
from ..optimizer import Optimizer

# Where an optimizer remembers what a schedule wrote into its lr, and the user's lr that this came from.
_MEMORY = "_scheduled"


class LRScheduler:
    """Base of all schedules: ``optimizer.lr = lr_at(last_epoch)``, at 0 when constructed, one further at every `step`.

    A subclass keeps its arguments under their names, calls ``super().__init__(optimizer)``, and defines
    ``lr_at(epoch)``. What "epoch" is, an epoch or a batch, is up to whoever calls `step`.

    Parameters
    ----------
    optimizer : Optimizer
        Whose ``lr`` to set.

    Attributes
    ----------
    base_lr : float
        The optimizer's ``lr`` as its user gave it: what another schedule has written since is not taken for that, so
        that schedules made one after another start from the same.
    last_epoch : int
        How often `step` has been called.

    Raises
    ------
    TypeError
        If ``optimizer`` is no optimizer.

    Notes
    -----
    ``lr_at`` is a function of the epoch and not, as some of PyTorch's, of the ``lr`` before: an ``lr`` assigned by hand
    counts until the next step. `ReduceLROnPlateau` is the exception.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"optimizer must be an optimizer of pynet.optim, got {type(optimizer).__name__}: "
                f"write {type(self).__name__}(optimizer, ...)"
            )
        self.optimizer = optimizer
        self.base_lr = users_lr(optimizer)
        self._go_to(0)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate after ``epoch`` steps."""
        raise NotImplementedError(f"{type(self).__name__} has no lr_at(epoch)")

    def step(self) -> None:
        """Set the learning rate of the next epoch; after an error nothing has changed."""
        self._go_to(self.last_epoch + 1)

    def get_last_lr(self) -> list[float]:
        """Return the learning rate that was set last: in a list, as in PyTorch."""
        return [self._last_lr]

    def state_dict(self) -> dict[str, Any]:
        """Return how far the schedule is: numbers, None, lists and dicts, which JSON can hold; no arguments."""
        return {
            "last_epoch": self.last_epoch,
            "base_lr": self.base_lr,
            "last_lr": self._last_lr,
            "lr": self.optimizer.lr,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken, the optimizer's ``lr`` included; after an error nothing has changed.

        The schedule must have been constructed with the same arguments.

        Raises
        ------
        TypeError, ValueError
            If entries are missing, unexpected or out of range.
        """
        self._take(self._checked(state))

    def _checked(self, state: Mapping[str, Any]) -> dict[str, Any]:
        require_entries(state, set(self.state_dict()))
        rates = {name: as_at_least_zero(state[name], name) for name in ("base_lr", "last_lr", "lr")}
        return {"last_epoch": as_size(state["last_epoch"], "last_epoch")} | rates

    def _take(self, state: dict[str, Any]) -> None:
        self.last_epoch, self.base_lr = state["last_epoch"], state["base_lr"]
        self._write(state["last_lr"])
        self.optimizer.lr = state["lr"]

    def _go_to(self, epoch: int) -> None:
        self._write(self.lr_at(epoch))
        self.last_epoch = epoch

    def _write(self, lr: float) -> None:
        self.optimizer.lr = lr
        self._last_lr: float = self.optimizer.lr
        vars(self.optimizer)[_MEMORY] = (self._last_lr, self.base_lr)

    def __repr__(self) -> str:
        return call_text(self)


def users_lr(optimizer: Optimizer) -> float:
    """Return the lr that the user gave: the optimizer's own, or what a schedule made it from."""
    lr: float = optimizer.lr
    written, base = vars(optimizer).get(_MEMORY, (lr, lr))
    return base if lr == written else lr
