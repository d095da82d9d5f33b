"""Module: the base of all layers and containers, with the protocol of the notebook."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt

from . import _core, freezing, hooks, protocol
from .arrays import Array, are_whole, as_array, as_float_dtype
from .checks import as_mapping
from .describe import constructor_arguments
from .errors import ShapeError, StateError
from .places import block_text

Method = TypeVar("Method", bound=Callable[..., Any])


class Mismatch(NamedTuple):
    """What `Module.load_state_dict` left out with ``strict=False``."""

    missing: list[str]
    unexpected: list[str]


def named(method: Method) -> Method:
    """Put the module's repr in front of what a kernel says of its arguments."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except (ValueError, TypeError, StateError) as error:
            if error.args and isinstance(error.args[0], str):
                error.args = (f"{self!r}: {error.args[0]}", *error.args[1:])
            raise

    return call  # type: ignore[return-value]


def collects(method: Method) -> Method:
    """Mark a method of `Module` as one that collects from below, which a subclass's own does not."""
    method.collects = True  # type: ignore[attr-defined]
    return method


class Module:
    """Base of all layers and containers: a box that goes forward and backward.

    A subclass defines ``forward(input) -> output`` and ``backward(input, grad_output) -> grad_input``, and, if it
    learns, ``parameters()`` and ``grad_parameters()``, as in the notebook. Modules that it holds as attributes, or in
    lists of them, are found: their parameters, mode and state need no further code.

    Attributes
    ----------
    training : bool
        True from the start; `train` and `eval` switch it. The notebook's ``_train`` is the same.
    frozen : bool
        Whether its own parameters are left as they are; False from the start. `freeze` and `unfreeze` switch it.
    output : array or None
        The last output that `forward` computed.

    Notes
    -----
    Instead of the two methods a subclass may name its arrays: with ``parameter_names = ("W",)`` its parameter is
    ``self.W`` and its gradient ``self.grad_W``. Arrays that are state but do not learn are named in ``buffer_names``.
    A layer whose input are indices, which have no gradient, says so by ``takes_indices = True``.
    ``operations`` says how many floating-point operations forward and backward do for each element: see `flops`.
    """

    training: bool = True
    output: Array | None = None
    is_leaf: bool = False
    takes_indices: bool = False
    parameter_names: tuple[str, ...] = ()
    buffer_names: tuple[str, ...] = ()
    operations: tuple[int, int] = (0, 0)

    def __init__(self) -> None:
        self.training = True

    @property
    def _train(self) -> bool:
        return self.training

    @_train.setter
    def _train(self, mode: bool) -> None:
        self.training = mode

    @property
    def frozen(self) -> bool:
        """Whether its own parameters are left as they are."""
        return bool(vars(self).get("_frozen", False))

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        self._frozen = bool(frozen)
        _core.structure_changed()

    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the output, and keep it as ``self.output``."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(input)")

    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return the gradient of ``sum(output * grad_output)`` with respect to ``input``, at that input.

        The gradients of the module's own parameters are overwritten, or with ``accumulate`` added to.
        """
        raise NotImplementedError(f"{type(self).__name__} must define backward(input, grad_output)")

    def __call__(self, input: npt.ArrayLike) -> Array:
        """Return ``forward(input)``."""
        return self.forward(input)

    @collects
    def parameters(self) -> list[Array]:
        """Return the parameters as a flat list of live arrays, those of all modules below included, each once."""
        return [parameter.array for parameter in self._all_parameters()]

    @collects
    def grad_parameters(self) -> list[Array]:
        """Return the gradients that belong to `parameters`: same order, same shapes, live."""
        return [parameter.gradient_or_zeros for parameter in self._all_parameters()]

    def _all_parameters(self) -> list[protocol.Parameter]:
        if type(self).parameters is Module.parameters:
            return protocol.all_parameters(self)
        # Called as super().parameters() by a subclass that adds its own, and is not to be asked again.
        names = [name for name in self.parameter_names if getattr(self, name) is not None]
        own = [protocol.Parameter(name, getattr(self, name), getattr(self, f"grad_{name}"), self) for name in names]
        return own + [parameter for _, child in protocol.children(self) for parameter in protocol.all_parameters(child)]

    def named_parameters(self) -> list[tuple[str, Array]]:
        """Return the parameters with their names, which are PyTorch's: ``0.weight``, ``0.bias``."""
        return [(parameter.name, parameter.array) for parameter in protocol.all_parameters(self)]

    def named_buffers(self) -> list[tuple[str, Array]]:
        """Return the arrays that are state but do not learn, with their names: ``1.running_mean``."""
        return [(buffer.name, buffer.array) for buffer in protocol.all_buffers(self)]

    def named_children(self) -> Iterable[tuple[str, Any]]:
        """Return the modules held as attributes, in lists, tuples or dicts, with their names."""
        return protocol.modules_in(vars(self))

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return how many floating-point operations a forward and a backward do on an input of this shape.

        Those that the formulas need: an addition, a product, a quotient, a comparison, exp, log, tanh and a square root
        count one each. What is done once for a row or a channel, and not for each element, is not counted, nor are the
        modules that this one holds: `pynet.summary` adds up a whole model. 0 where nobody has said.

        Parameters
        ----------
        input_shape : tuple of int
            The shape of a whole input, batch first.

        Returns
        -------
        forward, backward : int
        """
        elements = math.prod(input_shape)
        forward, backward = type(self).operations
        return forward * elements, backward * elements

    def register_forward_hook(self, hook: hooks.ForwardHook) -> hooks.Handle:
        """Have ``hook(module, input, output)`` called after every forward; what it returns is ignored.

        Returns
        -------
        Handle
            Its ``remove()``, or leaving its ``with`` block, takes the hook off. See `pynet.hooks`.
        """
        return hooks.register_forward_hook(self, hook)

    def register_backward_hook(self, hook: hooks.BackwardHook) -> hooks.Handle:
        """Have ``hook(module, input, grad_output, grad_input)`` called after every backward; its return is ignored.

        Returns
        -------
        Handle
            Its ``remove()``, or leaving its ``with`` block, takes the hook off. See `pynet.hooks`.
        """
        return hooks.register_backward_hook(self, hook)

    def zero_grad(self) -> None:
        """Fill all gradients with zeros."""
        protocol.zero_grad(self)

    @collects
    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training (or, with False, evaluation); return ``self``."""
        return self._switch(bool(mode))

    @collects
    def eval(self) -> Self:
        """Switch this module and all below it to evaluation; return ``self``."""
        return self._switch(False)

    def _switch(self, mode: bool) -> Self:
        if "_switching" in vars(self):  # a child that holds its parent asks it again
            return self
        self.training = mode
        self._switching = True
        try:
            for _, child in protocol.children(self):
                protocol.set_mode(child, mode)
        finally:
            del self._switching
        return self

    def freeze(self) -> Self:
        """Leave the parameters of this module and of all below it as they are; return ``self``.

        Optimizers do not move them, not even by weight decay, and keep what they know of them; backward computes no
        gradients of them, so that ``grad_*`` stay as they are, but that of its input. Frozen parameters remain among
        `parameters`, and count nothing in the norm of gradients that are clipped. As in PyTorch, a BatchNorm's running
        statistics go on moving in training: ``eval()`` stops them.

        The flag ``frozen`` of each module says it, also of a user's own; copies and pickles keep it, `state_dict` and
        files do not. An array that several layers share is frozen if one of them is. A user's layer that computes
        gradients all the same has them put back by the container that it stands in.

        Examples
        --------
        >>> model = pynet.Sequential(pynet.Linear(4, 8), pynet.ReLU(), pynet.Linear(8, 3))
        >>> model[:2].freeze()  # doctest: +SKIP
        >>> model[0].frozen  # doctest: +SKIP
        True
        """
        freezing.set_frozen(self, True)
        return self

    def unfreeze(self) -> Self:
        """Let the parameters of this module and of all below it learn again; return ``self``."""
        freezing.set_frozen(self, False)
        return self

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters and buffers by name: a snapshot, which later steps do not change."""
        return {name: array.copy() for name, array in self._state()}

    def _state(self) -> list[tuple[str, Array]]:
        """Live parameters and buffers, module by module, as PyTorch orders them."""
        own: dict[int, list[tuple[str, Array]]] = {}
        for name, array, _, owner in protocol.all_parameters(self) + protocol.all_buffers(self):
            own.setdefault(id(owner), []).append((name, array))
        return [pair for _, module in protocol.modules(self) for pair in own.get(id(module), [])]

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike], strict: bool = True) -> Mismatch:
        """Copy a `state_dict` into this module's arrays; either all of it or, after an error, nothing.

        Parameters
        ----------
        state : mapping of str to array
            Names and shapes as in `state_dict`; values are converted to the dtype of the array they go to.
        strict : bool, default True
            Whether names that are missing or unexpected are an error.

        Returns
        -------
        Mismatch
            The names that were missing and unexpected: empty lists with ``strict``.

        Raises
        ------
        ValueError
            If names are missing or unexpected, and ``strict``.
        ShapeError
            If an array has the wrong shape.
        TypeError
            If ``state`` is no mapping, or an array is not of real numbers.
        """
        own, state = dict(self._state()), as_mapping(state, "state")
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        if strict and (missing or unexpected):
            raise ValueError(f"state does not fit: missing {missing}, unexpected {unexpected}")
        values = {}
        for name, array in own.items():
            if name in missing:
                continue
            value = as_array(state[name], name)
            if value.shape != array.shape:
                raise ShapeError(f"{name} has shape {value.shape}, expected {array.shape}")
            if not array.flags.writeable:
                raise StateError(f"{name} is read-only and cannot be loaded")
            if array.dtype.kind in "iu" and not np.all(are_whole(value, array.dtype)):
                raise ValueError(f"{name} must hold whole numbers that fit {array.dtype}, got {value}")
            values[name] = value
        # All are right, so that memory for copies is not taken in vain; a value may lie in an array that is written.
        new = {name: value.astype(own[name].dtype) for name, value in values.items()}
        for name, value in new.items():
            own[name][...] = value
        return Mismatch(missing, unexpected)

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """Convert parameters, gradients and floating buffers to float32 or float64; return ``self``.

        Raises
        ------
        TypeError
            If ``dtype`` is neither float32 nor float64.
        """
        wanted = as_float_dtype(dtype)
        protocol.convert(self, wanted)
        return self

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments by name: what a file keeps of the architecture.

        The attributes of the same names, unless a subclass says otherwise. Values are numbers, strings, booleans, None,
        modules, and lists of these.
        """
        return constructor_arguments(self)

    def __getstate__(self) -> dict[str, Any]:
        # Copies and pickles are of the module, not of what its last call left behind, nor of who watches it.
        left, attributes = ("output", "_kept"), hooks.without_hooks(vars(self))
        return {k: value for k, value in attributes.items() if k not in left or protocol.is_module(value)}

    def __repr__(self) -> str:
        return block_text(self)


class Layer(Module):
    """Base of pynet's own layers, which hold no other modules, so that nobody needs to look for them."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.is_leaf = protocol.is_ours(cls)  # a user's subclass may hold what it likes
