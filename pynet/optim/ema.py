"""EMA keeps an exponential moving average of a model's parameters, which often predicts better than the last ones."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array, as_array
from ..checks import as_mapping, as_share, as_size, require_entries
from ..errors import ShapeError, StateError
from ..snapshot import arrays_of, take_snapshot
from .optimizer import Hyper


class EMA:
    """``average = decay * average + (1 - decay) * parameter`` at every `update`; the first one copies.

    As PyTorch's ``AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)``, of parameters and
    of floating buffers; integer buffers are copied. Averages have their parameters' dtypes.

    Call `update` after every ``optimizer.step()``, and evaluate inside ``with ema.averaged():``.

    Parameters
    ----------
    model : module
        Whose parameters to average.
    decay : float, default 0.999
        From 0 to 1.

    Attributes
    ----------
    num_updates : int
        How often `update` has been called.
    swapped : bool
        Whether the model has the averages, see `swap`.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is no module, or ``decay`` no number or out of range.

    References
    ----------
    Polyak, Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on Control and
    Optimization 30, 1992.
    """

    decay = Hyper(as_share, "How much of the average is kept.")

    def __init__(self, model: Any, decay: float = 0.999) -> None:
        if not protocol.is_module(model):
            raise TypeError(
                f"model must be a module, got {model if isinstance(model, type) else type(model).__name__}: "
                "write EMA(model, ...), not its class or its parameters"
            )
        self.model = model
        self.decay = decay
        self.num_updates = 0
        self.swapped = False
        self._averages: dict[str, Array] = {}

    def update(self) -> None:
        """Move the averages towards what the model has now.

        Raises
        ------
        StateError
            If the model has the averages.
        ValueError
            If it has other parameters than at the first update; ShapeError, if other shapes.
        """
        self._require_unswapped("update")
        arrays = arrays_of(self.model)
        if self.num_updates == 0:
            self._averages = take_snapshot(self.model)
        else:
            _require_same(arrays, self._averages, "the average")
            self._averages = {name: self._moved(self._averages[name], array) for name, array in arrays.items()}
        self.num_updates += 1

    def _moved(self, average: Array, array: Array) -> Array:
        if array.dtype.kind != "f":
            return array.copy()
        average = average.astype(array.dtype, copy=False)
        average *= self.decay
        average += (1 - self.decay) * array
        return average

    def swap(self) -> None:
        """Exchange what the model's arrays hold with the averages; a second call gives it back.

        The arrays remain the same objects, so that optimizers and whoever else holds them need not know.

        Raises
        ------
        StateError
            Before the first `update`.
        ValueError
            If the model has other parameters than at the first update, or read-only ones; ShapeError, if other shapes.
        """
        if self.num_updates == 0:
            raise StateError("there are no averages to swap in: call update() first")
        arrays = arrays_of(self.model)
        _require_same(arrays, self._averages, "the average")
        for name, array in arrays.items():
            if not array.flags.writeable:
                raise ValueError(f"'{name}' is read-only")
        for name, array in arrays.items():
            kept = array.copy()
            array[...] = self._averages[name]
            self._averages[name] = kept
        self.swapped = not self.swapped

    @contextmanager
    def averaged(self) -> Iterator[Any]:
        """Give the model the averages for a ``with`` block, and its own parameters back at the end.

        Raises
        ------
        StateError
            Before the first `update`, or if the model has the averages already.
        """
        self._require_unswapped("averaged")
        self.swap()
        try:
            yield self.model
        finally:
            self.swap()

    def state_dict(self) -> dict[str, Any]:
        """Return ``decay``, ``num_updates`` and, under ``averages``, copies of them by name.

        Raises
        ------
        StateError
            If the model has the averages.
        """
        self._require_unswapped("state_dict")
        averages = {name: average.copy() for name, average in self._averages.items()}
        return {"decay": self.decay, "num_updates": self.num_updates, "averages": averages}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; either all of it or, after an error, nothing.

        Raises
        ------
        StateError
            If the model has the averages.
        TypeError, ValueError
            If entries are missing, unexpected or out of range; ShapeError, if averages do not have the model's shapes.
        """
        self._require_unswapped("load_state_dict")
        require_entries(state, {"decay", "num_updates", "averages"})
        decay, updates = as_share(state["decay"], "decay"), as_size(state["num_updates"], "num_updates")
        arrays = arrays_of(self.model) if updates else {}
        given = as_mapping(state["averages"], "averages")
        averages = {name: as_array(value, f"average of '{name}'") for name, value in given.items()}
        _require_same(arrays, averages, "the state")
        self._averages = {name: np.array(averages[name], arrays[name].dtype) for name in arrays}
        self.decay, self.num_updates = decay, updates

    def _require_unswapped(self, method: str) -> None:
        if self.swapped:
            raise StateError(f"the model has the averages now: call swap() before {method}()")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(decay={self.decay})"


def _require_same(arrays: dict[str, Array], averages: dict[str, Array], owner: str) -> None:
    missing, unexpected = [n for n in arrays if n not in averages], [n for n in averages if n not in arrays]
    if missing or unexpected:
        raise ValueError(f"{owner} does not fit the model: missing {missing}, unexpected {unexpected}")
    for name, array in arrays.items():
        if array.shape != averages[name].shape:
            raise ShapeError(f"{owner} of '{name}' has shape {averages[name].shape}, expected {array.shape}")
