"""Plan: what a network is, as its layers, its criterion and its optimizer say of themselves.

Each has a method ``add_to(plan)`` that calls one method here. What cannot be said so raises `CannotCompileError`.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .. import _core, protocol
from ..arrays import Array
from ..places import title


class CannotCompileError(Exception):
    """Says why a network has to run module by module."""


class Plan(_core.Plan):
    """The description of a network, made once and used until something in it changes.

    Parameters
    ----------
    model : module
        What to describe.
    modes : bool
        Whether each module's ``training`` counts; otherwise all is as in evaluation.
    """

    def __init__(self, model: Any, modes: bool) -> None:
        parameters = protocol.all_parameters(model)
        self._dtype = _common_dtype([parameter.array for parameter in parameters])
        super().__init__(self._dtype == np.float32)
        self._modes, self._model = modes, model
        self._seen: set[int] = set()
        self._columns: int | None = None
        self.reason = ""

    def describe(self) -> None:
        """Ask the model; set `reason` if it cannot be compiled."""
        try:
            if self._dtype is None:
                raise CannotCompileError("the model has no parameters of one dtype, float32 or float64")
            self.add(self._model)
            if self._columns is None:
                raise CannotCompileError("no layer of the model says how many features it has")
            self.close()
            _require_apart([array for parameter in protocol.all_parameters(self._model) for array in parameter[1:3]])
        except CannotCompileError as error:
            self.reason = str(error)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of all parameters."""
        assert self._dtype is not None
        return self._dtype

    def add(self, module: Any, position: int | None = None) -> None:
        """Add a module that stands next."""
        obstacle = self._obstacle(module)
        if obstacle:
            name = title(module) if position is None else f"layer {position}, {title(module)},"
            raise CannotCompileError(f"{name} {obstacle}")
        self._seen.add(id(module))
        self.watch_size(module)
        module.add_to(self)

    def _obstacle(self, module: Any) -> str:
        """Return why a module cannot be added; empty if it can."""
        if not hasattr(module, "add_to") or not protocol.is_module(module):
            return "has no compiled form"
        if not is_its_own(type(module), "add_to", "forward", "backward"):
            return "has a forward or backward of its own"
        if not {"forward", "backward"}.isdisjoint(vars(module)):
            return "has hooks, or a method of its own"
        return "stands twice" if id(module) in self._seen else ""

    def watch_mode(self, module: Any) -> None:
        """Look at a module's ``training`` at every call."""
        if self._modes:
            self.watch(module, "training")

    def training(self, module: Any) -> bool:
        """Whether a module is to be in training mode."""
        return self._modes and bool(module.training)

    def linear(self, W: Array, b: Array | None, grad_W: Array, grad_b: Array | None) -> None:
        """Add a Linear."""
        self._take(W.shape[1], W.shape[0])
        super().linear(W, b, grad_W, grad_b)

    def batch_norm(self, weight: Array | None, bias: Array | None, *others: Any) -> None:
        """Add a BatchNorm: its arrays, eps, momentum and mode."""
        channels = len(others[2])  # running_mean
        self._take(channels, channels)
        super().batch_norm(weight, bias, *others)

    def flatten(self, start_dim: int, end_dim: int) -> None:
        """Add a Flatten: of an input of more axes at the start, or of nothing."""
        if (start_dim, end_dim) not in ((1, -1), (1, 1), (-1, -1)):
            raise CannotCompileError(f"Flatten of the axes {start_dim} to {end_dim} has no compiled form")
        if len(self._seen) <= 2 and end_dim == -1 and start_dim == 1:
            self.flattens = True

    def cross_entropy_loss(
        self, weight: Array | None, ignore_index: int, label_smoothing: float, reduction: str
    ) -> None:
        """Add a CrossEntropyLoss."""
        if weight is not None and len(weight) != self.columns[1]:
            raise CannotCompileError(f"the criterion has {len(weight)} weights, the model {self.columns[1]} classes")
        super().cross_entropy_loss(weight, ignore_index, label_smoothing, reduction)

    def require_one_number(self, reduction: str) -> None:
        """Refuse a loss that is no number."""
        if reduction == "none":
            raise CannotCompileError("the criterion returns a loss for every row, not one number")

    def _take(self, columns: int, leave: int) -> None:
        if self._columns not in (None, columns):
            raise CannotCompileError(f"a layer gives {self._columns} features where {columns} are expected")
        if not columns or not leave:
            raise CannotCompileError("a layer has no features")
        self._columns = leave

    def use_states(self, buffers: list[list[Array]], arrays: list[Array], steps: Array) -> None:
        """Take an optimizer's arrays, which are in the order of ``arrays``; the plan's own order may differ."""
        place = {array.ctypes.data: position for position, array in enumerate(arrays)}
        # Both follow the layers, unless one of these hides what it has.
        if [place.get(address) for address in self.parameters()] != sorted(place.values()):
            raise CannotCompileError("the optimizer moves other arrays than the layers have")
        self.states(buffers, steps)


def _common_dtype(arrays: list[Array]) -> np.dtype[Any] | None:
    found = {array.dtype for array in arrays}
    dtype = found.pop() if len(found) == 1 else None
    return dtype if dtype in (np.float32, np.float64) else None


def is_its_own(cls: type, *names: str) -> bool:
    """Whether methods are defined in the same class: else some are not about what the others do."""
    owners = {next((base for base in cls.__mro__ if name in vars(base)), None) for name in names}
    return len(owners) == 1


def _require_apart(arrays: list[Array | None]) -> None:
    spans = sorted((a.ctypes.data, a.ctypes.data + a.nbytes) for a in arrays if a is not None and a.size)
    if any(end > start for (_, end), (start, _) in itertools.pairwise(spans)):
        raise CannotCompileError("parameters or gradients share memory")
