"""profile: where the time of a forward and a backward goes, and how near to the machine's floor that is."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _core, protocol
from ..arrays import Array, as_array, get_default_dtype, native_float
from ..checks import as_size
from ..config import get_num_threads
from ..hooks import register_backward_hook, register_forward_hook
from ..places import leaves, placed_title
from .cost import backward_bytes, flops, forward_bytes
from .tables import short, text_table
from .trial import trial

__all__ = ["Direction", "Machine", "Profile", "Row", "profile"]

# What all measurements of a model may take together, in seconds, once the machine is known.
_BUDGET = 0.4


class Machine(NamedTuple):
    """What the machine can do, as pynet's own kernels measure it.

    Attributes
    ----------
    peak : float
        Floating-point operations per second, of a `Linear` of 1024 by 1024 on 1024 rows.
    bandwidth : float
        Bytes read and written per second, of a `ReLU` over 64 MB.
    threads : int
    dtype : numpy.dtype
    """

    peak: float
    bandwidth: float
    threads: int
    dtype: np.dtype[Any]

    def floor(self, flops: int, bytes: int) -> float:
        """Return the seconds that so many operations and bytes take at least: ``max(flops / peak, bytes / bw)``."""
        return max(flops / self.peak, bytes / self.bandwidth)


class Direction(NamedTuple):
    """One direction, forward or backward: all calls of one module in one pass through the model.

    Attributes
    ----------
    seconds : float
        Median.
    flops, bytes : int
        What it must at least compute and move.
    floor : float
        Seconds that the machine needs for that.
    """

    seconds: float
    flops: int
    bytes: int
    floor: float


class Row(NamedTuple):
    """One leaf module in a `Profile`, or its total.

    Attributes
    ----------
    place : str
        '0', '1.body'; of a module that stands twice the first.
    layer : str
        Its repr.
    forward, backward : Direction
    """

    place: str
    layer: str
    forward: Direction
    backward: Direction

    @property
    def seconds(self) -> float:
        """Both directions together."""
        return self.forward.seconds + self.backward.seconds

    @property
    def gflops(self) -> float:
        """Billions of operations per second."""
        return (self.forward.flops + self.backward.flops) / self.seconds / 1e9

    @property
    def gigabytes(self) -> float:
        """Billions of bytes per second."""
        return (self.forward.bytes + self.backward.bytes) / self.seconds / 1e9

    @property
    def share(self) -> float:
        """The floor divided by the time: 1 is as fast as the machine.

        More is possible where the floor counts bytes that are not moved through memory: of arrays that stay in the
        caches, or that a layer hands on untouched. How much more says nothing, and the table has ``>100%`` for it.
        """
        return (self.forward.floor + self.backward.floor) / self.seconds


class Profile(NamedTuple):
    """What `profile` measured; prints as a table, in microseconds.

    Attributes
    ----------
    rows : list of Row
        One for each leaf module that the model calls, in order.
    total : Row
        Of the model's own calls: with what containers add, but not twice what lies between the leaves.
    machine : Machine
    """

    rows: list[Row]
    total: Row
    machine: Machine

    def __str__(self) -> str:
        machine = self.machine
        first = (
            f"{machine.threads} thread{'s' if machine.threads > 1 else ''}, {machine.dtype}: "
            f"peak {machine.peak / 1e9:.0f} GFLOP/s, memory {machine.bandwidth / 1e9:.1f} GB/s"
        )
        header = ("layer", "forward µs", "backward µs", "GFLOP/s", "GB/s", "of the floor")
        return f"{first}\n{text_table(header, [_cells(row) for row in self.rows], _cells(self.total), left=1)}"

    def __repr__(self) -> str:
        return str(self)


def profile(
    model: Any, x: npt.ArrayLike, grad_output: npt.ArrayLike | None = None, repeats: int | None = None
) -> Profile:
    """Measure forward and backward of every leaf module, beside what the machine could do.

    A copy of the model is measured, in the model's present modes; nothing in the model or in NumPy's random state
    changes. Each leaf is called by itself, again and again, at what it was given in a pass through the model.

    Parameters
    ----------
    model : module
        A user's own too; one without a method ``flops`` counts no operations.
    x : array
        An input of the model.
    grad_output : array, optional
        A gradient at its output; ones unless given.
    repeats : int, optional
        How often each call is measured; unless given, as often as half a second for all allows, 3 to 200 times.

    Returns
    -------
    Profile

    Raises
    ------
    ShapeError, TypeError, ValueError
        If ``x`` or ``grad_output`` does not fit: the layer's own error.

    Notes
    -----
    The floor is ``max(flops / peak, bytes / bandwidth)`` for each direction: the roofline of Williams, Waterman and
    Patterson, CACM 52(4), 2009. Peak and bandwidth are measured in the same call, at the present number of threads and
    in the dtype of the model's output. Bytes count every array once, as if all came from memory: what stays in the
    caches, or is handed on as it is by a `Dropout` in evaluation, can be faster than the floor, and is ``>100%`` of it.
    """
    if repeats is not None:
        as_size(repeats, "repeats", smallest=1)
    x = as_array(x, "x")
    with trial(model) as tried:
        output = np.asarray(tried.forward(x))
        grad = np.ones_like(output) if grad_output is None else as_array(grad_output, "grad_output")
        forwards, backwards = _calls(tried, x, grad)
        machine = _measure_machine(native_float(output.dtype) or get_default_dtype())
        found = leaves(tried)
        clock = _Clock(repeats, _BUDGET / (2 * len(found) + 1))
        rows = [
            Row(
                place,
                placed_title(place, module),
                _sum(machine, [_forward(clock, module, *call) for call in forwards[id(module)]]),
                _sum(machine, [_backward(clock, module, *call) for call in backwards[id(module)]]),
            )
            for place, module in found
            if forwards[id(module)]
        ]
        total = _total(clock, tried, x, grad, rows)
    return Profile(rows, total, machine)


class _Clock(NamedTuple):
    """Measures a call ``repeats`` times, or as often as the budget allows."""

    repeats: int | None
    budget: float

    def median(self, *calls: Callable[[], object]) -> list[float]:
        """Return the median seconds of each call; they run in turn, once more than is measured."""
        for call in calls:
            call()
        times: list[list[float]] = []
        end = time.perf_counter() + self.budget
        while self._wants_more(len(times), end):
            times.append([_seconds(call) for call in calls])
        return [_median(column) for column in zip(*times, strict=True)]

    def _wants_more(self, done: int, end: float) -> bool:
        if self.repeats is not None:
            return done < self.repeats
        return done < 3 or (done < 200 and time.perf_counter() < end)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


_Calls = dict[int, list[tuple[Any, ...]]]


def _calls(model: Any, x: Array, grad: Array) -> tuple[_Calls, _Calls]:
    """Return what each leaf is given and returns in one forward, and in one backward."""
    found = leaves(model)
    forwards: _Calls = {id(module): [] for _, module in found}
    backwards: _Calls = {id(module): [] for _, module in found}
    with ExitStack() as stack:
        for _, module in found:
            stack.enter_context(register_forward_hook(module, lambda module, *call: forwards[id(module)].append(call)))
        model.forward(x)
    # The hooks on forward are off by now: a backward may call it again.
    with ExitStack() as stack:
        for _, module in found:
            stack.enter_context(
                register_backward_hook(module, lambda module, *call: backwards[id(module)].append(call))
            )
        protocol.backward(model, x, grad, accumulate=False)
    return forwards, backwards


def _forward(clock: _Clock, module: Any, input: Any, output: Any) -> tuple[float, int, int]:
    (seconds,) = clock.median(lambda: module.forward(input))
    return seconds, flops(module, np.shape(input))[0], forward_bytes(module, input, output)


def _backward(clock: _Clock, module: Any, input: Any, grad_output: Any, grad_input: Any) -> tuple[float, int, int]:
    # Each backward follows a forward, which may leave it a mask, or whatever a user's module keeps.
    _, seconds = clock.median(
        lambda: module.forward(input), lambda: protocol.backward(module, input, grad_output, accumulate=False)
    )
    return seconds, flops(module, np.shape(input))[1], backward_bytes(module, input, grad_output, grad_input)


def _sum(machine: Machine, calls: list[tuple[float, int, int]]) -> Direction:
    return Direction(
        seconds=sum(seconds for seconds, _, _ in calls),
        flops=sum(operations for _, operations, _ in calls),
        bytes=sum(moved for _, _, moved in calls),
        floor=sum(machine.floor(operations, moved) for _, operations, moved in calls),
    )


def _total(clock: _Clock, model: Any, x: Array, grad: Array, rows: list[Row]) -> Row:
    forward, backward = clock.median(
        lambda: model.forward(x), lambda: protocol.backward(model, x, grad, accumulate=False)
    )
    return Row(
        "", "total", _added(forward, [row.forward for row in rows]), _added(backward, [r.backward for r in rows])
    )


def _added(seconds: float, parts: list[Direction]) -> Direction:
    return Direction(seconds, sum(p.flops for p in parts), sum(p.bytes for p in parts), sum(p.floor for p in parts))


def _measure_machine(dtype: np.dtype[Any]) -> Machine:
    side, length = 1024, 2**26 // dtype.itemsize
    square, long = np.ones((side, side), dtype), np.ones(length, dtype)
    matmul = _best(lambda: _core.linear_forward(square, square, None))
    copy = _best(lambda: _core.relu_forward(long))
    return Machine(2 * side**3 / matmul, 2 * long.nbytes / copy, get_num_threads(), dtype)


def _best(call: Callable[[], object]) -> float:
    return min(_seconds(call) for _ in range(6))


def _cells(row: Row) -> tuple[str, ...]:
    times = (f"{direction.seconds * 1e6:,.1f}" for direction in (row.forward, row.backward))
    return row.layer, *times, short(row.gflops), short(row.gigabytes), _percent(row.share)


def _percent(share: float) -> str:
    return f"{share:.0%}" if round(share, 2) <= 1 else ">100%"


def _median(values: tuple[float, ...]) -> float:
    return float(np.median(values))
