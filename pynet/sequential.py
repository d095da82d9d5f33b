"""Sequential: modules one after another."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from . import protocol
from .arrays import Array, as_gradient, as_input
from .errors import ShapeError
from .module import Module
from .places import is_leaf, title
from .replay import Left, forward_of_copy, left_in, remembering, replay

if TYPE_CHECKING:
    from .compiled.plan import Plan


class _Run(NamedTuple):
    """What a forward leaves for the backward that follows it."""

    layers: list[Any]
    values: list[Any]  # the input, and every layer's output
    left: list[Left]  # what is in every layer for its backward
    shared: bool  # whether a module stands twice


_REAL = "fiub"  # kinds of dtypes

# What a Sequential itself keeps, among which there are no modules to look for.
_ATTRIBUTES = {"layers", "training", "output", "_kept", "_switching"}


class Sequential(Module):
    """Modules one after another: ``y[0] = layers[0](input)``, ``y[i] = layers[i](y[i - 1])``.

    Parameters
    ----------
    *layers : module
        Anything with ``forward(input)`` and ``backward(input, grad_output)``; a Sequential too. Without any, the input
        comes out as it is. One module may stand twice: its gradients then add up within one backward.

    Attributes
    ----------
    layers : list
        The modules.

    Shapes
    ------
    Those of the first layer's input and of the last one's output.

    Raises
    ------
    TypeError
        If a layer is no module.
    ValueError
        If a Sequential is put inside itself.

    Notes
    -----
    `backward` uses the intermediate results of the last `forward` if it is given the very array that forward was given,
    and otherwise computes them anew, without moving statistics, drawing masks or touching anybody's ``output``. Whoever
    writes into an input or an intermediate output in between must call forward again.
    """

    _kept: _Run | None = None

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self.layers: list[Any] = []
        for layer in layers:
            self._add(layer)

    def append(self, layer: Any) -> Sequential:
        """Add a module at the end; return ``self``."""
        if protocol.is_module(layer) and any(below is self for _, below in protocol.modules(layer)):
            raise ValueError(f"layer {len(self.layers)} of Sequential contains this Sequential itself")
        self._add(layer)
        return self

    def _add(self, layer: Any) -> None:
        if not protocol.is_module(layer):
            hint = f": write {layer.__name__}(...)" if isinstance(layer, type) else ""
            hint = ": write Sequential(*layers)" if isinstance(layer, list | tuple) else hint
            raise TypeError(
                f"layer {len(self.layers)} of Sequential must be a module with forward and backward, "
                f"got {layer!r:.80}{hint}"
            )
        self.layers.append(layer)

    def forward(self, input: npt.ArrayLike) -> Array:
        """Run the layers from first to last; return the last output."""
        layers, left = list(self.layers), []
        values: list[Any] = [input]
        shared, value = self._has_shared_modules(), input
        for position, layer in enumerate(layers):
            try:
                value = layer.forward(value)
                if value.__class__ is not np.ndarray or value.dtype.kind not in _REAL:
                    _require_numbers(value, "forward")
            except Exception as error:
                raise _placed(error, layer, position)
            values.append(value)
            left.append(_left_in(layer, value, shared))
        output: Any = values[-1] if layers else as_input(input, "input")
        self._kept = _Run(layers, values, left, shared)
        self.output = output
        return output  # type: ignore[no-any-return]

    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Run the layers' backward from last to first; return the gradient with respect to ``input``."""
        if not self.layers:
            return as_gradient(grad_output, as_input(input, "input"))
        run = self._run_at(input)
        if not run.shared:
            return self._backward(run, grad_output, accumulate)
        # A module that stands twice adds its second gradient to its first, so all start from zero and add.
        before = protocol.all_parameters(self)
        kept = [None if p.gradient is None else p.gradient.copy() for p in before]
        if not accumulate:
            self.zero_grad()
        try:
            return self._backward(run, grad_output, accumulate=True)
        except Exception:
            for parameter, gradient in zip(protocol.all_parameters(self), kept, strict=True):
                if gradient is not None:
                    protocol.store_gradient(parameter, gradient)
            raise

    def _backward(self, run: _Run, grad: Any, accumulate: bool) -> Array:
        for position in range(len(run.layers) - 1, -1, -1):
            layer, at, left = run.layers[position], run.values[position], run.left[position]
            try:
                if left:
                    with remembering(left):
                        grad = protocol.backward(layer, at, grad, accumulate)
                else:
                    grad = protocol.backward(layer, at, grad, accumulate)
                is_plain = grad.__class__ is np.ndarray and at.__class__ is np.ndarray
                if not is_plain or grad.shape != at.shape or grad.dtype.kind not in _REAL:
                    _require_gradient(grad, at)
            except Exception as error:
                raise _placed(error, layer, position)
        return grad  # type: ignore[no-any-return]

    def _has_shared_modules(self) -> bool:
        layers = self.layers
        for layer in layers:
            if not getattr(layer, "is_leaf", False):
                break
        else:
            return len(set(map(id, layers))) < len(layers)
        below = protocol.standing_below(self)
        if id(self) in below:  # which a layer that only knows where it stands may well be
            for position, layer in enumerate(layers):
                if _runs(layer, self, set()):
                    raise ValueError(f"layer {position} of Sequential contains this Sequential itself")
        return len(below) > len(set(below))

    def _run_at(self, input: Any) -> _Run:
        """Return the last forward if it was at this input, else what it would have left."""
        kept = self._kept
        if kept and kept.values[0] is input and _same_items(kept.layers, self.layers):
            return kept
        values, shared = [input], self._has_shared_modules()
        for position, layer in enumerate(self.layers):
            try:
                value = replay(layer, values[-1])
                if value.__class__ is not np.ndarray or value.dtype.kind not in _REAL:
                    _require_numbers(value, "forward")
            except Exception as error:
                raise _placed(error, layer, position)
            values.append(value)
        left = [_left_in(layer, output, shared=False) for layer, output in zip(self.layers, values[1:], strict=True)]
        return _Run(list(self.layers), values, left, shared)

    def _replay(self, input: Any) -> Any:
        if type(self).forward is not Sequential.forward:  # a subclass computes something of its own
            return forward_of_copy(self, input)
        return self._run_at(input).values[-1] if self.layers else input

    def add_to(self, plan: Plan) -> None:
        """Describe the layers to a compiled step."""
        plan.watch(self, "layers")
        for position, layer in enumerate(self.layers):
            plan.add(layer, position)

    def named_children(self) -> Iterable[tuple[str, Any]]:
        """Return the layers, named by their positions, and what a subclass holds besides."""
        found = [(str(position), layer) for position, layer in enumerate(self.layers)]
        if not vars(self).keys() <= _ATTRIBUTES:
            found += protocol.modules_in({k: v for k, v in vars(self).items() if k not in _ATTRIBUTES})
        return found

    def config(self) -> dict[str, Any]:
        """Return the layers: what a file keeps of the architecture."""
        return {"layers": list(self.layers)}

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Any:
        """Return one layer, or for a slice a Sequential of the same layers."""
        if not isinstance(index, slice):
            return self.layers[index]
        part = Sequential(*self.layers[index])
        part.training = self.training
        return part

    def __repr__(self) -> str:
        return super().__repr__() if self.layers else "Sequential()"


def _left_in(layer: Any, output: Any, shared: bool) -> Left:
    """Return what a layer that has just computed this output needs to find again in its backward."""
    mask = getattr(layer, "mask", None)
    if mask is None and getattr(layer, "is_leaf", False):
        return []
    left = {} if mask is None else {"mask": mask}
    if getattr(layer, "is_leaf", False):
        return [(layer, left)]
    own = [(layer, left | {"output": output})]
    # Where modules stand twice, all below it need what they had at this place.
    return left_in(layer) + own if shared else own


def _require_gradient(grad: Any, at: Any) -> None:
    _require_numbers(grad, "backward")
    if np.shape(grad) != np.shape(at):
        raise ShapeError(f"backward must return a gradient of shape {np.shape(at)}, got {np.shape(grad)}")


def _require_numbers(value: Any, method: str) -> None:
    if not isinstance(value, np.ndarray) and not hasattr(value, "__array__"):
        raise TypeError(f"{method} must return an array, got {type(value).__name__}")
    if np.asarray(value).dtype.kind not in _REAL:
        raise TypeError(f"{method} must return an array of real numbers, got dtype {np.asarray(value).dtype}")


def _placed(error: Exception, layer: Any, position: int) -> Exception:
    """Say where an error comes from: in one line, for it may have passed many Sequentials."""
    if not protocol.is_module(layer):
        error = TypeError(
            f"layer {position} of Sequential must be a module with forward and backward, got {layer!r:.80}"
        )
    try:
        name = title(layer) if is_leaf(layer) else f"{type(layer).__name__}(...)"
    except Exception:  # its own repr is broken, or there is no room left on the stack
        name = type(layer).__name__
    error.add_note(f"in layer {position} of Sequential: {name}")
    return error


def _runs(layer: Any, wanted: Sequential, seen: set[int]) -> bool:
    """Whether a layer is a certain Sequential, or one that runs it."""
    if layer is wanted or not isinstance(layer, Sequential) or id(layer) in seen:
        return layer is wanted
    seen.add(id(layer))
    return any(_runs(below, wanted, seen) for below in layer.layers)


def _same_items(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(map(operator.is_, a, b))
