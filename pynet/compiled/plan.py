"""Plan: what a network is, as its layers, its criterion and its optimizer say of themselves.

Each has a method ``add_to(plan)`` that calls one method here. What cannot be said so raises `CannotCompileError`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from .. import _core, protocol
from ..arrays import Array
from ..freezing import is_frozen, knows
from ..layers import Flatten
from ..layers.unflatten import fill_in
from ..places import title

# Weight, bias and their gradients; None where there are none.
_Affine: TypeAlias = tuple[Array | None, Array | None, Array | None, Array | None]


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
        self._first_columns: int | None = None  # of the first layer that says how many
        self._residuals = 0  # that have begun and not ended
        self._folded = False  # a layer has given the rows other axes
        self._buffers: tuple[list[list[Array]], Array, Array | None] | None = None  # until they are handed on
        self.reason = ""

    def describe(self) -> None:
        """Ask the model; set `reason` if it cannot be compiled."""
        try:
            if self._dtype is None:
                raise CannotCompileError("the model has no parameters of one dtype, float32 or float64")
            self.add(self._model)
            if self._folded:
                raise CannotCompileError("the model's last layer gives more axes than two")
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
        if self._folded and not hasattr(module, "layers") and not isinstance(module, Flatten):
            return "works on more axes than two"
        if is_frozen(module) and not knows(module) and list(protocol.own(module)):
            return "is frozen, which its compiled form does not know"
        return "stands twice" if id(module) in self._seen else ""

    def watch_mode(self, module: Any) -> None:
        """Look at a module's ``training`` at every call."""
        if self._modes:
            self.watch(module, "training")

    def training(self, module: Any) -> bool:
        """Whether a module is to be in training mode."""
        return self._modes and bool(module.training)

    def linear(self, W: Array, b: Array | None, grad_W: Array | None, grad_b: Array | None) -> None:
        """Add a Linear."""
        self._take(W.shape[1], W.shape[0])
        super().linear(W, b, grad_W, grad_b)

    def batch_norm(self, weight: Array | None, bias: Array | None, *others: Any) -> None:
        """Add a BatchNorm: its arrays, eps, momentum and mode."""
        channels = len(others[2])  # running_mean
        self._take(channels, channels)
        super().batch_norm(weight, bias, *others)

    def prelu(self, weight: Array, grad_weight: Array | None) -> None:
        """Add a PReLU; with several weights, they are of the columns."""
        if len(weight) > 1:
            self._take(len(weight), len(weight))
        super().prelu(weight, grad_weight)

    def flatten(self, start_dim: int, end_dim: int) -> None:
        """Add a Flatten: of an input of more axes at the start, or of nothing."""
        if (start_dim, end_dim) not in ((1, -1), (1, 1), (-1, -1)):
            raise CannotCompileError(f"Flatten of the axes {start_dim} to {end_dim} has no compiled form")
        if self._folded and (start_dim, end_dim) != (1, -1):
            raise CannotCompileError(f"Flatten of the axes {start_dim} to {end_dim} leaves more axes than two")
        if len(self._seen) <= 2 and end_dim == -1 and start_dim == 1 and not self._residuals:
            self.flattens = True
        self._folded = False

    def unflatten(self, all_features: bool, sizes: tuple[int, ...]) -> None:
        """Add what gives rows other axes, which a Flatten has to take back at once."""
        if not all_features or self._columns is None or fill_in(sizes, self._columns) is None:
            raise CannotCompileError(f"a layer makes axes of {sizes}, of an unknown number of features")
        self._folded = len(sizes) > 1

    def layer_norm(self, arrays: _Affine, shape: tuple[int, ...], eps: float | None, *, centred: bool) -> None:
        """Add a LayerNorm or RMSNorm: weight, bias and their gradients, of one axis."""
        if len(shape) > 1:
            raise CannotCompileError(f"a norm of the last {len(shape)} axes has no compiled form")
        self._take(shape[0], shape[0])
        self.norm(*arrays, shape[0], 1, float(np.finfo(self.dtype).eps) if eps is None else eps, centred)

    def group_norm(self, arrays: _Affine, channels: int, groups: int, eps: float) -> None:
        """Add a GroupNorm: weight, bias and their gradients, and how many groups a row has."""
        self._take(channels, channels)
        self.norm(*arrays, channels, groups, eps, True)

    @contextmanager
    def residual(self) -> Iterator[None]:
        """Begin a Residual; at the end of the block it ends."""
        before = self._columns
        self.begin_residual()
        self._residuals += 1
        yield
        self._residuals -= 1
        if before is None and self._columns is not None:
            before = self._first_columns
        if self._folded or before != self._columns:
            raise CannotCompileError(f"the layers of a Residual make {self._columns} features of {before}")
        self.end_residual()

    def class_loss(
        self, of_logs: bool, weight: Array | None, ignore_index: int, label_smoothing: float, reduction: str
    ) -> None:
        """Add a CrossEntropyLoss, or an NLLLoss."""
        if weight is not None and len(weight) != self.columns[1]:
            raise CannotCompileError(f"the criterion has {len(weight)} weights, the model {self.columns[1]} classes")
        super().class_loss(of_logs, weight, ignore_index, label_smoothing, reduction)

    def loss(
        self, name: str, reduction: str, number: float, numbers: Array | float | None, of_logs: bool, full: bool
    ) -> None:
        """Add a criterion that compares numbers with their targets."""
        columns = self.columns[1]
        if name == "gaussian_nll_loss" and columns % 2:
            raise CannotCompileError(f"the criterion wants as many means as variances, the model has {columns} columns")
        if numbers is not None and (name == "pinball_loss" or np.size(numbers) > 1) and np.size(numbers) != columns:
            raise CannotCompileError(f"the criterion is of {np.size(numbers)} columns, the model has {columns}")
        super().loss(name, reduction, number, numbers, of_logs, full)

    def require_one_number(self, reduction: str) -> None:
        """Refuse a loss that is no number."""
        if reduction == "none":
            raise CannotCompileError("the criterion returns a loss for every row, not one number")

    def _take(self, columns: int, leave: int) -> None:
        if self._columns not in (None, columns):
            raise CannotCompileError(f"a layer gives {self._columns} features where {columns} are expected")
        if not columns or not leave:
            raise CannotCompileError("a layer has no features")
        if self._first_columns is None:
            self._first_columns = columns
        self._columns = leave

    def use_buffers(self, arrays: list[Array], buffers: list[list[Array]], steps: Array, own: Array | None) -> None:
        """Take an optimizer's arrays, which are in the order of ``arrays``; the plan's own order may differ."""
        place = {array.ctypes.data: position for position, array in enumerate(arrays)}
        # Both follow the layers, unless one of these hides what it has.
        if [place.get(address) for address in self.parameters()] != sorted(place.values()):
            raise CannotCompileError("the optimizer moves other arrays than the layers have")
        self._buffers = buffers, steps, own

    def move_by(self, update: _core.Update) -> None:
        """Take an optimizer's update, or new numbers for it."""
        if self._buffers is None:
            self.update(update)
        else:
            self.optimizer(update, *self._buffers)
            self._buffers = None


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
