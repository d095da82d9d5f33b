"""summary: a model as a table of shapes, parameters and what a forward costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import get_default_dtype
from ..checks import as_size
from ..freezing import frozen_arrays
from ..hooks import register_forward_hook
from ..places import is_leaf, own_parameters, places, title
from ..protocol import all_parameters, set_mode
from .cost import flops, forward_bytes, parameter_bytes, says_flops
from .tables import count, short, text_table
from .trial import trial

__all__ = ["Row", "Summary", "summary"]


class Row(NamedTuple):
    """One module in a `Summary`, without the modules that it holds.

    Attributes
    ----------
    place : str
        '' for the model itself, '0', '1.body'; of a module that stands twice the first.
    layer : str
        Its repr; of a module that holds others, its class.
    depth : int
        How many modules hold it.
    calls : int
        How often one forward of the model calls it.
    output_shape : tuple of int or None
        Of its last call; None if it is not called.
    parameters : int
        Numbers in its own parameters.
    flops : int
        Floating-point operations of all its calls, see `Module.flops`; 0 if it does not say, printed as "?".
    bytes : int
        What all its calls must at least read and write: input, parameters and output; of a module that holds others its
        own parameters.
    frozen : int
        How many of its own parameters' numbers are frozen.
    says_flops : bool
        Whether it says how many operations it does; True, too, of a user's module that holds others and has no
        parameters of its own, and of one that is not called.
    """

    place: str
    layer: str
    depth: int
    calls: int
    output_shape: tuple[int, ...] | None
    parameters: int
    flops: int
    bytes: int
    frozen: int = 0
    says_flops: bool = True


class Summary(NamedTuple):
    """What `summary` found; prints as a table.

    Attributes
    ----------
    rows : list of Row
        One for each module, in order.
    input_shape : tuple of int
    parameters : int
        Numbers in all parameters; an array that several layers share counts once.
    flops, bytes : int
        Sums over the rows; printed with "+ ?" where a row does not say its operations.
    frozen : int
        Numbers in parameters that are frozen; the others can be trained.
    """

    rows: list[Row]
    input_shape: tuple[int, ...]
    parameters: int
    flops: int
    bytes: int
    frozen: int = 0

    def __str__(self) -> str:
        header = ("layer", "output", "parameters", "FLOPs", "bytes")
        title = f"total, input {self.input_shape}"
        if self.frozen:
            title += f", {count(self.parameters - self.frozen)} to train, {count(self.frozen)} frozen"
        flops = _flops_text(self.flops, all(row.says_flops for row in self.rows))
        total = (title, "", count(self.parameters), flops, short(self.bytes))
        return text_table(header, [_cells(row) for row in self.rows], total, left=2)

    def __repr__(self) -> str:
        return str(self)


def summary(model: Any, input_shape: int | Sequence[int], dtype: npt.DTypeLike | None = None) -> Summary:
    """Return a table of a model's modules: output shape, parameters, and what a forward must at least cost.

    A copy of the model, in evaluation mode, goes forward once; nothing in the model or in NumPy's random state changes.

    Parameters
    ----------
    model : module
        A user's own modules count 0 operations, printed as "?", unless they have a method ``flops`` or ``operations``,
        as `Module` has.
    input_shape : tuple of int or int
        The shape of a whole input, batch first: ``(32, 784)``. An int n is one sample, ``(1, n)``.
    dtype : dtype, optional
        Of the input; unless given, that of the model's first parameter, or the default dtype.

    Returns
    -------
    Summary

    Raises
    ------
    ShapeError
        If the input does not fit: the layer's own error.
    TypeError, ValueError
        If ``model`` is no module, or ``input_shape`` not made of sizes.
    """
    shape = _as_shape(input_shape)
    with trial(model) as tried:
        set_mode(tried, False)
        arrays = {id(parameter.array): parameter.array for parameter in all_parameters(tried)}
        own = [array.dtype for array in arrays.values() if array.dtype.kind == "f"]
        kind = dtype if dtype is not None else [*own, get_default_dtype()][0]
        frozen = frozen_arrays(tried)
        rows = _rows(tried, np.ones(shape, kind), frozen)
    parameters = sum(array.size for array in arrays.values())
    flops, bytes = sum(row.flops for row in rows), sum(row.bytes for row in rows)
    return Summary(rows, shape, parameters, flops, bytes, sum(arrays[array].size for array in frozen))


def _as_shape(value: Any) -> tuple[int, ...]:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(as_size(size, "input_shape") for size in value)
    return 1, as_size(value, "input_shape")


class _Call(NamedTuple):
    output_shape: tuple[int, ...]
    flops: int
    bytes: int


def _rows(model: Any, input: Any, frozen: frozenset[int]) -> list[Row]:
    found = places(model)
    calls: dict[int, list[_Call]] = {id(module): [] for _, module in found}

    def record(module: Any, input: Any, output: Any) -> None:
        moved = forward_bytes(module, input, output) if is_leaf(module) else parameter_bytes(module)
        calls[id(module)].append(_Call(np.shape(output), flops(module, np.shape(input))[0], moved))

    with ExitStack() as stack, np.errstate(all="ignore"):  # the values of this input mean nothing
        for _, module in found:
            stack.enter_context(register_forward_hook(module, record))
        model.forward(input)
    return [_row(place, module, found, calls[id(module)], frozen) for place, module in found]


def _row(place: str, module: Any, found: list[tuple[str, Any]], calls: list[_Call], frozen: frozenset[int]) -> Row:
    own = own_parameters(module)
    above = [other for other, _ in found if other != place and (not other or place.startswith(f"{other}."))]
    return Row(
        place=place,
        layer=title(module),
        depth=len(above),
        calls=len(calls),
        output_shape=calls[-1].output_shape if calls else None,
        parameters=sum(parameter.array.size for parameter in own),
        flops=sum(call.flops for call in calls),
        bytes=sum(call.bytes for call in calls),
        frozen=sum(parameter.array.size for parameter in own if id(parameter.array) in frozen),
        says_flops=not calls or says_flops(module) or not (own or is_leaf(module)),
    )


def _flops_text(flops: int, complete: bool) -> str:
    if complete:
        return short(flops)
    return f"{short(flops)} + ?" if flops else "?"


def _cells(row: Row) -> tuple[str, ...]:
    layer = f"{row.place}  {row.layer}" if row.place else row.layer
    layer += f"  {row.calls} times" if row.calls > 1 else ""
    layer += "  frozen" if row.frozen else ""
    flops = _flops_text(row.flops, row.says_flops)
    shape = "-" if row.output_shape is None else str(row.output_shape)
    return "  " * row.depth + layer, shape, count(row.parameters), flops, short(row.bytes)
