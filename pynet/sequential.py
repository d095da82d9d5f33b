"""Sequential: modules one after another."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from . import protocol
from .arrays import Array, as_input
from .errors import ShapeError
from .module import Module
from .replay import Left, forward_of_copy, left_in, remembering, replay

if TYPE_CHECKING:
    from .compiled.plan import Plan


class _Run(NamedTuple):
    """What a forward leaves for the backward that follows it."""

    layers: list[Any]
    values: list[Any]  # the input, and every layer's output
    left: list[Left]  # what is in every layer for its backward
    shared: bool  # whether a module stands twice


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
                if value.__class__ is not np.ndarray:
                    self._require_array(value, "forward")
            except Exception as error:
                raise self._placed(error, position)
            values.append(value)
            left.append(_left_in(layer, value, shared))
        output: Any = values[-1] if layers else as_input(input, "input")
        self._kept = _Run(layers, values, left, shared)
        self.output = output
        return output  # type: ignore[no-any-return]

    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Run the layers' backward from last to first; return the gradient with respect to ``input``."""
        if not self.layers:
            return _identity_backward(input, grad_output)
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
                if grad.__class__ is not np.ndarray:
                    self._require_array(grad, "backward")
            except Exception as error:
                raise self._placed(error, position)
        return grad  # type: ignore[no-any-return]

    def _has_shared_modules(self) -> bool:
        layers = self.layers
        for layer in layers:
            if not getattr(layer, "is_leaf", False):
                break
        else:
            return len(set(map(id, layers))) < len(layers)
        return protocol.has_shared_modules(self)

    def _run_at(self, input: Any) -> _Run:
        """Return the last forward if it was at this input, else what it would have left."""
        kept = self._kept
        if kept and kept.values[0] is input and _same_items(kept.layers, self.layers):
            return kept
        values = [input]
        for position, layer in enumerate(self.layers):
            try:
                values.append(replay(layer, values[-1]))
            except Exception as error:
                raise self._placed(error, position)
        left = [_left_in(layer, output, shared=False) for layer, output in zip(self.layers, values[1:], strict=True)]
        return _Run(list(self.layers), values, left, self._has_shared_modules())

    def _replay(self, input: Any) -> Any:
        if type(self).forward is not Sequential.forward:  # a subclass computes something of its own
            return forward_of_copy(self, input)
        return self._run_at(input).values[-1] if self.layers else input

    @staticmethod
    def _require_array(value: Any, method: str) -> None:
        if not isinstance(value, np.ndarray) and not hasattr(value, "__array__"):
            raise TypeError(f"{method} must return an array, got {type(value).__name__}")

    def _placed(self, error: Exception, position: int) -> Exception:
        error.add_note(f"in layer {position} of Sequential: {self.layers[position]!r}")
        return error

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


def _same_items(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(map(operator.is_, a, b))


def _identity_backward(input: npt.ArrayLike, grad_output: npt.ArrayLike) -> Array:
    grad = as_input(grad_output, "grad_output")
    if grad.shape != np.shape(input):
        raise ShapeError(f"grad_output has shape {grad.shape}, expected {np.shape(input)} as input")
    return grad
