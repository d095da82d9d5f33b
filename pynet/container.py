"""Container: what runs other modules, keeps what they leave for backward, and says which of them failed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from . import protocol
from .arrays import Array
from .errors import ShapeError
from .freezing import frozen_arrays
from .modes import is_evaluating
from .module import Module
from .places import is_leaf, title
from .replay import Left, forward_of_copy, left_in, remembering, replay


class Run(NamedTuple):
    """What a forward leaves for the backward that follows it."""

    layers: list[Any]
    values: list[Any]  # the input, and every layer's output
    left: list[Left]  # what is in every layer for its backward
    shared: bool  # whether a module stands twice


_REAL = "fiub"  # kinds of dtypes

# What a container itself keeps, among which there are no modules to look for.
_ATTRIBUTES = {"layers", "merge", "training", "output", "_kept", "_switching", "_frozen"}


class Container(Module):
    """Base of the modules that run others: subclasses say who gets what, and what comes out.

    Each defines, beside each other, ``forward`` with `_run_and_keep`, ``_output_of(run)``, and ``backward`` with
    `_summed`. A class that defines but some of them is seen to compute something else than they say together.
    """

    in_turn = True  # each layer gets what the one before it gives; otherwise all get the input
    _kept: Run | None = None

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self.layers: list[Any] = []
        for layer in layers:
            self._add(layer)

    def append(self, layer: Any) -> Self:
        """Add a module at the end; return ``self``."""
        if protocol.is_module(layer) and any(below is self for _, below in protocol.modules(layer)):
            raise ValueError(f"{self._place(len(self.layers))} contains this {type(self).__name__} itself")
        self._add(layer)
        return self

    def _add(self, layer: Any) -> None:
        if not protocol.is_module(layer):
            hint = f": write {layer.__name__}(...)" if isinstance(layer, type) else ""
            hint = f": write {type(self).__name__}(*layers)" if isinstance(layer, list | tuple) else hint
            raise TypeError(
                f"{self._place(len(self.layers))} must be a module with forward and backward, got {layer!r:.80}{hint}"
            )
        self.layers.append(layer)

    def _run(self, input: Any, replaying: bool = False) -> Run:
        """Run the layers forward, or compute anew what they gave, which changes nothing."""
        layers, values, left, value = list(self.layers), [input], [], input
        shared, in_turn = self._has_shared_modules(), self.in_turn
        before = self._left_before() if replaying and shared and not is_evaluating() else None
        for position, layer in enumerate(layers):
            try:
                at = value if in_turn else input
                if before:  # each of its places had a mask of its own
                    with remembering(before[position]):
                        value = replay(layer, at)
                        left.append([*before[position], *_left_in(layer, value, shared=False)])
                else:
                    value = replay(layer, at) if replaying else layer.forward(at)
                    left.append(_left_in(layer, value, shared and not replaying))
                if value.__class__ is not np.ndarray or value.dtype.kind not in _REAL:
                    _require_numbers(value, "forward")
            except Exception as error:
                raise self._placed(error, layer, position)
            values.append(value)
        return Run(layers, values, left, shared)

    def _run_and_keep(self, input: Any) -> Array:
        """Run the layers forward, keep what they leave, and return what comes out."""
        run = self._run(input)
        output: Array = self._output_of(run)
        self._kept, self.output = run, output
        return output

    def _run_at(self, input: Any) -> Run:
        """Return the last forward if it was at this input, else what it would have left."""
        kept = self._kept
        if kept and kept.values[0] is input and _same_items(kept.layers, self.layers):
            return kept
        return self._run(input, replaying=True)

    def _left_before(self) -> list[Left] | None:
        """Return what the last forward has left in the layers, if they are still the same."""
        kept = self._kept
        return kept.left if kept and _same_items(kept.layers, self.layers) else None

    def _output_of(self, run: Run) -> Any:
        """Return what comes out, given the input and every layer's output."""
        raise NotImplementedError(f"{type(self).__name__} must define _output_of(run)")

    def _replay(self, input: Any) -> Any:
        own = next(cls for cls in type(self).__mro__ if "forward" in vars(cls))
        if "_output_of" not in vars(own):  # a subclass computes something of its own
            return forward_of_copy(self, input)
        return self._output_of(self._run_at(input))

    def _summed(self, run: Run, backward: Callable[[bool], Array], accumulate: bool) -> Array:
        """Return ``backward(accumulate)``; a module that stands twice gets the sum of its gradients."""
        if not run.shared:
            return backward(accumulate)
        # Its second gradient is added to its first, so all start from zero and add.
        before = protocol.all_parameters(self)
        kept = [None if p.gradient is None else p.gradient.copy() for p in before]
        if not accumulate:
            frozen = frozen_arrays(self)
            protocol.store_gradients([p for p in before if id(p.array) not in frozen], np.zeros_like)
        try:
            return backward(True)
        except Exception:
            for parameter, gradient in zip(protocol.all_parameters(self), kept, strict=True):
                if gradient is not None:
                    protocol.store_gradient(parameter, gradient)
            raise

    def _backward_in_turn(self, run: Run, grad: Any, accumulate: bool) -> Any:
        """Run the layers' backward from last to first."""
        for position in range(len(run.layers) - 1, -1, -1):
            grad = self._backward_of(run, position, run.values[position], grad, accumulate)
        return grad

    def _backward_of(self, run: Run, position: int, at: Any, grad: Any, accumulate: bool) -> Any:
        """Run one layer's backward, at the input that it had."""
        layer, left = run.layers[position], run.left[position]
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
            raise self._placed(error, layer, position)
        return grad

    def _placed(self, error: Exception, layer: Any, position: int) -> Exception:
        """Say where an error comes from: in one line, for it may have passed many containers."""
        if not protocol.is_module(layer):
            error = TypeError(f"{self._place(position)} must be a module with forward and backward, got {layer!r:.80}")
        try:
            name = title(layer) if is_leaf(layer) else f"{type(layer).__name__}(...)"
        except Exception:  # its own repr is broken, or there is no room left on the stack
            name = type(layer).__name__
        error.add_note(f"in {self._place(position)}: {name}")
        return error

    def _place(self, position: int) -> str:
        return f"layer {position} of {type(self).__name__}"

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
                    raise ValueError(f"{self._place(position)} contains this {type(self).__name__} itself")
        return len(below) > len(set(below))

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

    def __getitem__(self, index: Any) -> Any:
        """Return one layer, or for a slice a list of them."""
        return self.layers[index]

    def __repr__(self) -> str:
        return super().__repr__() if self.layers else f"{type(self).__name__}()"


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


def _runs(layer: Any, wanted: Container, seen: set[int]) -> bool:
    """Whether a layer is a certain container, or one that runs it."""
    if layer is wanted or not isinstance(layer, Container) or id(layer) in seen:
        return layer is wanted
    seen.add(id(layer))
    return any(_runs(below, wanted, seen) for below in layer.layers)


def _same_items(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(map(operator.is_, a, b))
