"""Plan: what a network is, as its layers, its criterion and its optimizer say of themselves.

Each has a method ``add_to(plan)`` that calls one method here. What cannot be said so raises `CannotCompileError`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from .. import _core, protocol
from ..arrays import Array, largest_exact
from ..freezing import is_frozen, knows
from ..layers.unflatten import fill_in
from ..places import title

# Weight, bias and their gradients; None where there are none.
_Affine: TypeAlias = tuple[Array | None, Array | None, Array | None, Array | None]

_Shape: TypeAlias = tuple[int, ...]


class CannotCompileError(Exception):
    """Says why a network has to run module by module."""


class _WidthError(Exception):
    """Ends a description of rows of unknown width: they have so many columns, or, if None, as many as the data."""

    def __init__(self, columns: int | None) -> None:
        self.columns = columns


def described(model: Any, modes: bool, columns: int | None = None) -> Plan:
    """Return what a network is, or why it cannot be compiled: `Plan.reason`.

    Parameters
    ----------
    model : module
        What to describe.
    modes : bool
        Whether each module's ``training`` counts; otherwise all is as in evaluation.
    columns : int, optional
        How many there are in the data, if they are known: for networks that take any number.
    """
    plan = Plan(model, modes)
    try:
        plan.describe()  # up to the first layer that says how many columns it gets
    except _WidthError as found:
        by_data = found.columns is None
        if by_data and columns is None:
            plan.reason = "how many columns the data have shows with the first batch"
        else:
            plan = Plan(model, modes, columns if by_data else found.columns)
            plan.describe()
        plan.takes_any_width = by_data
    return plan


def how_it_runs(reason: str) -> str:
    """Return what a repr says of `Plan.reason`."""
    return f"module by module: {reason}" if reason else "compiled"


class Plan(_core.Plan):
    """The description of a network, made once and used until something in it changes: see `described`."""

    def __init__(self, model: Any, modes: bool, columns: int | None = None) -> None:
        self._parameters = protocol.all_parameters(model)
        self._dtype = _common_dtype([parameter.array for parameter in self._parameters])
        super().__init__(self._dtype == np.float32)
        self._modes, self._model = modes, model
        self._seen: set[int] = set()
        self._columns = columns  # of the data
        self._shape: _Shape | None = None if columns is None else (columns,)  # of a row that comes to the next layer
        self._depth = 0  # in how many Residuals and Parallels
        self._buffers: tuple[list[list[Array]], Array, Array | None] | None = None  # until they are handed on
        self.takes_any_width = False
        self.reason = ""

    def describe(self) -> None:
        """Ask the model; set `reason` if it cannot be compiled."""
        try:
            if self._dtype is None:
                raise CannotCompileError("the model has no parameters of one dtype, float32 or float64")
            self.add(self._model)
            if len(self._known_shape()) > 1:
                raise CannotCompileError("the model's last layer gives more axes than two")
            self.close(self._columns or 0)
            _require_apart([array for parameter in self._parameters for array in parameter[1:3]])
        except CannotCompileError as error:
            self.reason = str(error)
        except RecursionError:
            self.reason = "the model's containers are nested too deeply"

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

    def softmax(self) -> None:
        """Add a SoftMax."""
        self._require_one_axis()
        super().softmax()

    def log_softmax(self) -> None:
        """Add a LogSoftMax."""
        self._require_one_axis()
        super().log_softmax()

    def flatten(self, start_dim: int, end_dim: int) -> None:
        """Add a Flatten: of an input of more axes at the start, or of what the layers before it give."""
        axes = 2 if self._shape is None else 1 + len(self._shape)
        first, last = start_dim % axes, end_dim % axes
        if not 1 <= first <= last or not (-axes <= start_dim < axes and -axes <= end_dim < axes):
            raise CannotCompileError(f"Flatten of the axes {start_dim} to {end_dim} has no compiled form")
        if self._is_first and (start_dim, end_dim) == (1, -1):
            self.flattens = True
        if self._shape is not None:
            together = math.prod(self._shape[first - 1 : last])
            self._shape = (*self._shape[: first - 1], together, *self._shape[last:])

    def unflatten(self, dim: int | None, sizes: _Shape) -> None:
        """Add what makes several axes of one, or, without ``dim``, of all but the batch's."""
        if self._shape is None:
            raise _WidthError(None if -1 in sizes or dim not in (-1, None, 1) else math.prod(sizes))
        axes = 1 + len(self._shape)
        if dim is not None and (dim % axes == 0 or not -axes < dim < axes):
            raise CannotCompileError(f"rows of shape {self._shape} have no axis {dim}")
        begin, end = (0, axes - 1) if dim is None else (dim % axes - 1, dim % axes)
        filled = fill_in(sizes, math.prod(self._shape[begin:end]))
        if filled is None:
            raise CannotCompileError(f"rows of shape {self._shape} do not make axes of {sizes}")
        self._shape = (*self._shape[:begin], *filled, *self._shape[end:])

    def layer_norm(self, arrays: _Affine, shape: _Shape, eps: float | None, *, centred: bool) -> None:
        """Add a LayerNorm or RMSNorm: weight, bias and their gradients, of the last axes."""
        if self._shape is None:
            if len(shape) > 1:
                raise CannotCompileError(f"a norm of the last {len(shape)} axes has no compiled form at the start")
            raise _WidthError(shape[0])
        if self._shape[-len(shape) :] != shape:
            raise CannotCompileError(f"a norm of {shape} gets rows of shape {self._shape}")
        smallest = float(np.finfo(self.dtype).eps) if eps is None else eps
        self.norm(*arrays, math.prod(self._shape), 1, math.prod(shape), 1, smallest, centred)

    def group_norm(self, arrays: _Affine, channels: int, groups: int, eps: float) -> None:
        """Add a GroupNorm: weight, bias and their gradients, and how many groups a row has."""
        if self._shape is None:
            raise _WidthError(channels)
        if self._shape[0] != channels:
            raise CannotCompileError(f"a norm of {channels} channels gets rows of shape {self._shape}")
        positions = math.prod(self._shape[1:])
        self.norm(*arrays, channels * positions, groups, channels // groups * positions, positions, eps, True)

    def embedding(self, weight: Array, grad_weight: Array | None, padding: int) -> None:
        """Add an Embedding; ``padding`` is -1 where there is none."""
        shape = self._known_shape()
        if len(weight) > largest_exact(self.dtype):
            raise CannotCompileError(f"{self.dtype} does not hold every index of {len(weight)} embeddings")
        self.embed(weight, grad_weight, math.prod(shape), padding)
        self._shape = (*shape, weight.shape[1])

    def choose_columns(self, columns: slice | list[int]) -> None:
        """Add a Columns."""
        self._require_one_axis()
        (width,) = self._known_shape()
        try:
            chosen = np.arange(width)[columns]
        except IndexError:
            raise CannotCompileError(f"a layer gets {width} columns, which are not all of {columns}") from None
        self._take(width, len(chosen))
        self.columns_of(chosen.tolist(), width)

    @contextmanager
    def residual(self) -> Iterator[None]:
        """Begin a Residual; at the end of the block it ends."""
        before = self._shape
        self.begin_residual()
        self._depth += 1
        yield
        self._depth -= 1
        if before != self._shape:
            raise CannotCompileError(f"the layers of a Residual make rows of shape {self._shape} of {before}")
        self.end_residual()

    def parallel(self, layers: list[Any], merge: str) -> None:
        """Add a Parallel: its branches one after another."""
        if not layers:
            raise CannotCompileError("a Parallel has no layers")
        if self._shape is None:
            self._look_for_width(layers, merge)
            return
        start = self._shape
        shapes: list[_Shape] = []
        self.begin_parallel(math.prod(start))
        self._depth += 1
        for position, layer in enumerate(layers):
            if position:
                self.next_branch()
            self._shape = start
            self.add(layer, position)
            shapes.append(self._shape)
        self._depth -= 1
        self._shape = _merged(shapes, merge)
        self.end_parallel(merge == "sum", math.prod(self._shape))

    def _look_for_width(self, layers: list[Any], merge: str) -> None:
        """Ask the branches of a Parallel how many columns there are; go on if they leave that to what follows."""
        told = merge == "sum"
        self._depth += 1
        for position, layer in enumerate(layers):
            try:
                self.add(layer, position)
            except _WidthError as found:
                if found.columns is not None:
                    raise
                told = False
        self._depth -= 1
        if not told:
            raise _WidthError(None)

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

    @property
    def _is_first(self) -> bool:
        """Whether nothing but a Sequential stands before the present layer."""
        return len(self._seen) <= 2 and not self._depth

    def _known_shape(self) -> _Shape:
        if self._shape is None:
            raise _WidthError(None)
        return self._shape

    def _require_one_axis(self) -> None:
        if self._shape is not None and len(self._shape) > 1:
            raise CannotCompileError(f"a layer that mixes features gets rows of shape {self._shape}")

    def _take(self, columns: int, leave: int) -> None:
        self._require_one_axis()
        if self._shape is None:
            if not self._is_first:
                raise _WidthError(columns)
            self._columns, self._shape = columns, (columns,)
        if self._shape != (columns,):
            raise CannotCompileError(f"a layer gives {self._shape[0]} features where {columns} are expected")
        if not columns or not leave:
            raise CannotCompileError("a layer has no features")
        self._shape = (leave,)

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


def _merged(shapes: list[_Shape], merge: str) -> _Shape:
    """Return the shape of rows that are added, or put beside each other."""
    if merge == "cat" and all(len(shape) == 1 for shape in shapes):
        return (sum(columns for (columns,) in shapes),)
    if merge == "cat" or any(shape != shapes[0] for shape in shapes):
        raise CannotCompileError(f"the layers of a Parallel give rows of shapes {shapes}")
    return shapes[0]


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
