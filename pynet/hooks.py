"""Hooks: functions that are shown every forward or every backward of a module."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Self, TypeAlias

from . import _core, protocol
from .arrays import Array
from .places import places
from .replay import is_replaying

__all__ = ["Captured", "Handle", "capture", "register_backward_hook", "register_forward_hook"]

ForwardHook: TypeAlias = Callable[[Any, Any, Any], object]
BackwardHook: TypeAlias = Callable[[Any, Any, Any, Any], object]

# How many arguments of a call its hooks are shown: the input; the input and grad_output.
_SHOWN = {"forward": 1, "backward": 2}


class Handle:
    """Takes a hook off again: by `remove`, or at the end of a ``with`` block."""

    def __init__(self, method: _Hooked, hook: Callable[..., object]) -> None:
        self._method = method
        self.hook = hook

    def remove(self) -> None:
        """Take the hook off; a second time does nothing."""
        self._method.drop(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class _Hooked:
    """A method of one module that shows its calls to hooks: an attribute of that module while it has any."""

    def __init__(self, module: Any, name: str) -> None:
        self.is_own = name in vars(module)  # a function that somebody put there, not the class's method
        self.method = method = getattr(module, name)
        functools.update_wrapper(self, method)
        self._module, self._name = module, name
        self._handles: tuple[Handle, ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.method(*args, **kwargs)
        if not is_replaying():
            shown = self._shown(args, kwargs)
            for handle in self._handles:
                handle.hook(self._module, *shown, result)
        return result

    def _shown(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        count = _SHOWN[self._name]
        if len(args) < count:
            args = tuple(inspect.signature(self.method).bind(*args, **kwargs).arguments.values())
        return args[:count]

    def add(self, hook: Callable[..., object]) -> Handle:
        handle = Handle(self, hook)
        self._handles = (*self._handles, handle)
        _core.structure_changed()
        return handle

    def drop(self, handle: Handle) -> None:
        self._handles = tuple(kept for kept in self._handles if kept is not handle)
        _core.structure_changed()
        attributes = vars(self._module)
        if self._handles or attributes.get(self._name) is not self:
            return
        if self.is_own:
            attributes[self._name] = self.method
        else:
            del attributes[self._name]

    def __reduce__(self) -> tuple[Any, ...]:
        # Deep copies and pickles of an object without `Module` get here: they have its method, bound to the copy.
        return _same, (self.method,)


def _same(method: Any) -> Any:
    return method


def register_forward_hook(module: Any, hook: ForwardHook) -> Handle:
    """Have ``hook(module, input, output)`` called after every forward of a module.

    A hook observes: what it returns is ignored, and what it raises comes out of the call. Hooks are called in the order
    in which they were registered, at every place where the module stands, but not where pynet computes something again
    to find an intermediate result. Copies of the module, pickles and files do not have them; a shallow copy of an
    object without `pynet.Module` still calls the original.

    Parameters
    ----------
    module : module
        Whose calls to watch; a user's object without a base class too.
    hook : callable
        Called with the module, the input as it was given, and the output.

    Returns
    -------
    Handle
        Its ``remove()``, or leaving its ``with`` block, takes the hook off.

    Raises
    ------
    TypeError
        If ``module`` is no module, or has ``__slots__`` and so no room for a hook, or ``hook`` cannot be called.

    Notes
    -----
    While there are hooks the module has an attribute ``forward`` that wraps the class's method; without any it has
    none, and pays nothing. A subclass that calls ``super().forward(input)`` is seen once.
    """
    return _register(module, "forward", hook)


def register_backward_hook(module: Any, hook: BackwardHook) -> Handle:
    """Have ``hook(module, input, grad_output, grad_input)`` called after every backward of a module.

    All else is as in `register_forward_hook`; the module's parameter gradients are there when the hook is called.
    """
    return _register(module, "backward", hook)


def _register(module: Any, name: str, hook: Callable[..., object]) -> Handle:
    if not protocol.is_module(module):
        raise TypeError(f"hooks watch a module with forward and backward, got {module!r:.80}")
    if not callable(hook):
        raise TypeError(f"hook must be a function, got {hook!r:.80}")
    if not hasattr(module, "__dict__"):
        raise TypeError(f"{type(module).__name__} has __slots__ and no room for a hook: add '__dict__' to them")
    attributes = vars(module)
    if not isinstance(attributes.get(name), _Hooked):
        attributes[name] = _Hooked(module, name)
    handle: Handle = attributes[name].add(hook)
    return handle


def without_hooks(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return a module's attributes as they are when it has no hooks."""
    found = {}
    for name, value in attributes.items():
        if not isinstance(value, _Hooked):
            found[name] = value
        elif value.is_own:
            found[name] = value.method
    return found


class Captured(NamedTuple):
    """What `capture` has seen, by the places of the modules: '' for the model itself, '0', '1.body'.

    Attributes
    ----------
    outputs : dict of str to array
        The latest output of each module that ran forward.
    grad_outputs : dict of str to array
        The latest gradient at the output of each module that ran backward.
    """

    outputs: dict[str, Array]
    grad_outputs: dict[str, Array]

    def _watch(self, place: str, module: Any) -> tuple[Handle, Handle]:
        def keep_output(module: Any, input: Any, output: Any) -> None:
            self.outputs[place] = output

        def keep_grad_output(module: Any, input: Any, grad_output: Any, grad_input: Any) -> None:
            self.grad_outputs[place] = grad_output

        return register_forward_hook(module, keep_output), register_backward_hook(module, keep_grad_output)


@contextmanager
def capture(model: Any) -> Iterator[Captured]:
    """Keep what goes through every module of a model while a ``with`` block runs.

    ``with capture(model) as seen:`` collects, from every forward and backward inside the block, ``seen.outputs["0"]``
    and ``seen.grad_outputs["0"]``: the arrays themselves, the latest of each. They stay when the block ends. A module
    that stands twice is found at its first place, with what its last call left.

    Parameters
    ----------
    model : module
        A user's object too.

    Yields
    ------
    Captured

    Raises
    ------
    TypeError
        If ``model`` is no module, or one of its modules has no room for a hook: see `register_forward_hook`.
    """
    seen = Captured({}, {})
    with ExitStack() as stack:
        for place, module in places(model):
            for handle in seen._watch(place, module):
                stack.enter_context(handle)
        yield seen
