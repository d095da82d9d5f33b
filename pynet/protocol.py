"""How pynet speaks to any module, a user's own included.

A module is whatever has ``forward(input)`` and ``backward(input, grad_output)``. It may have ``parameters()`` and
``grad_parameters()``, ``train()`` and ``eval()``, hold other modules as attributes or in lists, and need not be a
`pynet.Module`, nor have called its ``__init__``. What differs between such modules is dealt with here and nowhere else.
"""

import copy
import functools
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from .arrays import Array
from .criterion import Criterion
from .errors import StateError


def is_module(value: object) -> bool:
    """Whether ``value`` is a module: an object, not a class, that can go forward and backward."""
    if isinstance(value, type | Criterion):
        return False
    return callable(getattr(value, "forward", None)) and callable(getattr(value, "backward", None))


def children(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield the modules that ``module`` holds, with their names: attributes, and what lies in lists, tuples, dicts."""
    named = getattr(module, "named_children", None)
    yield from attribute_modules(module) if named is None else named()


def attribute_modules(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield the modules among an object's attributes."""
    for name, value in list(getattr(module, "__dict__", {}).items()):
        if isinstance(value, list | tuple):
            yield from ((f"{name}.{i}", item) for i, item in enumerate(value) if is_module(item))
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", item) for key, item in value.items() if is_module(item))
        elif is_module(value):
            yield name, value


def modules(module: Any, prefix: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield a module and all below it, each once, with the prefix of its parameters' names: '', '0.', '1.body.'."""
    seen = set() if seen is None else seen
    if id(module) in seen:
        return
    seen.add(id(module))
    yield prefix, module
    if getattr(module, "is_leaf", False):
        return
    for name, child in children(module):
        yield from modules(child, f"{prefix}{name}.", seen)


def owners(module: Any) -> list[tuple[str, Any]]:
    """Return those of a module and all below it that have parameters of their own, each once, with their prefixes.

    One that has its own ``parameters()`` speaks for all below it.
    """
    found: list[tuple[str, Any]] = []
    _find_owners(module, "", set(), found)
    return found


def _find_owners(module: Any, prefix: str, seen: set[int], found: list[tuple[str, Any]]) -> None:
    if id(module) in seen:
        return
    seen.add(id(module))
    if _speaks_for_itself(module.__class__):
        seen.update(id(below) for _, below in modules(module))
        found.append((prefix, module))
        return
    if getattr(module, "parameter_names", ()):
        found.append((prefix, module))
    if not getattr(module, "is_leaf", False):
        for name, child in children(module):
            _find_owners(child, f"{prefix}{name}.", seen, found)


@functools.cache
def _speaks_for_itself(cls: Any) -> bool:
    """Whether a class defines ``parameters`` itself, instead of leaving it to `pynet.Module`."""
    own = getattr(cls, "parameters", None)
    return own is not None and not hasattr(own, "collects")


def parameters(module: Any) -> list[Array]:
    """Return a module's parameters as one flat list, those of modules below it included."""
    return [array for _, owner in owners(module) for array in own_parameters(owner)]


def grad_parameters(module: Any) -> list[Array]:
    """Return the gradients that belong to `parameters`, in the same order.

    Raises
    ------
    StateError
        If a module has another number of gradients than of parameters.
    """
    return [array for _, owner in owners(module) for array in own_gradients(owner)]


def named_parameters(module: Any) -> list[tuple[str, Array]]:
    """Return the names and arrays of a module's parameters and of those of all below it."""
    return [(prefix + name, array) for prefix, owner in owners(module) for name, array in _own_named(owner)]


def own_parameters(owner: Any) -> list[Array]:
    """Return the parameters of one of the `owners`."""
    if _speaks_for_itself(owner.__class__):
        return _flatten(owner.parameters())
    return [array for name in owner.parameter_names if (array := getattr(owner, name)) is not None]


def own_gradients(owner: Any) -> list[Array]:
    """Return the gradients of one of the `owners`."""
    if _speaks_for_itself(owner.__class__):
        return _gradients_of(owner, _flatten(owner.parameters()))
    return [getattr(owner, f"grad_{name}") for name in owner.parameter_names if getattr(owner, name) is not None]


def _own_named(owner: Any) -> list[tuple[str, Array]]:
    if not _speaks_for_itself(owner.__class__):
        return [(name, array) for name in owner.parameter_names if (array := getattr(owner, name)) is not None]
    # Its list has no names: an array is called as the attribute it lies in, or as the child that has it calls it.
    known = [(name, value) for name, value in vars(owner).items() if isinstance(value, np.ndarray)]
    known += [(f"{name}.{below}", array) for name, child in children(owner) for below, array in named_parameters(child)]
    return [
        (next((name for name, value in known if value is array), str(position)), array)
        for position, array in enumerate(own_parameters(owner))
    ]


def _gradients_of(module: Any, arrays: list[Array]) -> list[Array]:
    if not arrays:
        return []
    try:
        gradients = _flatten(module.grad_parameters())
    except AttributeError:
        # The notebook's layers have no gradients until their first backward.
        return [np.zeros_like(array) for array in arrays]
    if len(gradients) != len(arrays):
        raise StateError(
            f"{module!r} has {len(arrays)} parameters but {len(gradients)} gradients: "
            "grad_parameters() must return one for each of parameters(), in the same order"
        )
    return gradients


def _flatten(nested: Any) -> list[Array]:
    """Return one list of arrays: the notebook's Sequential returns a list of lists."""
    if isinstance(nested, np.ndarray):
        return [nested]
    return [array for item in nested for array in _flatten(item)]


def set_mode(module: Any, training: bool) -> None:
    """Switch a module between training and evaluation, by its own ``train()`` or ``eval()`` if it has them."""
    switch = getattr(module, "train" if training else "eval", None)
    if switch is not None:
        switch()


def has_shared_modules(module: Any) -> bool:
    """Whether some module stands twice below ``module``."""
    parts = [part for _, part in modules(module) if not getattr(part, "is_leaf", False)]
    standing = [id(child) for part in parts for _, child in children(part)]
    return len(standing) > len(set(standing))


def backward_with_output(module: Any, input: Any, output: Any, grad_output: Array, accumulate: bool) -> Array:
    """Call `backward` with ``module.output`` being the output at this very input while it runs.

    The notebook advises to keep the output for backward. But the last forward may have been at another input: of a
    module that stands twice, or where a container has computed everything anew.
    """
    kept = getattr(module, "output", None)
    if kept is output or kept is None or getattr(module, "is_leaf", False):
        return backward(module, input, grad_output, accumulate)
    module.output = output
    try:
        return backward(module, input, grad_output, accumulate)
    finally:
        module.output = kept


def backward(module: Any, input: Any, grad_output: Array, accumulate: bool) -> Array:
    """Call a module's backward, adding its gradients to those it has if ``accumulate``, whatever its signature."""
    if _takes_accumulate(module.__class__):
        return module.backward(input, grad_output, accumulate=accumulate)  # type: ignore[no-any-return]
    if not accumulate:
        return module.backward(input, grad_output)  # type: ignore[no-any-return]
    before = [gradient.copy() for gradient in grad_parameters(module)]
    grad_input: Array = module.backward(input, grad_output)
    for gradient, old in zip(grad_parameters(module), before, strict=True):
        gradient += old
    return grad_input


@functools.cache
def _takes_accumulate(cls: Any) -> bool:
    names = inspect.signature(cls.backward).parameters
    return "accumulate" in names or any(p.kind is p.VAR_KEYWORD for p in names.values())


def replay(module: Any, input: Any) -> Array:
    """Return a module's output at ``input`` with nothing changed: no output kept, statistics moved or mask drawn."""
    own = getattr(module, "_replay", None)
    if own is not None:
        return own(input)  # type: ignore[no-any-return]
    state = np.random.get_state()
    try:
        return copy.deepcopy(module).forward(input)  # type: ignore[no-any-return]
    finally:
        np.random.set_state(state)


def convert(module: Any, dtype: np.dtype[Any]) -> None:
    """Convert the floating arrays of a module and of all below it."""
    for _, part in modules(module):
        own = getattr(part, "_convert", None)
        if own is not None:
            own(dtype)
        else:
            _convert_attributes(part, dtype)


def _convert_attributes(module: Any, dtype: np.dtype[Any]) -> None:
    """Convert the floating arrays among a module's attributes; one that stands under two names stays one."""
    converted: dict[int, Array] = {}
    for name, value in list(getattr(module, "__dict__", {}).items()):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            converted.setdefault(id(value), value.astype(dtype, copy=False))
            setattr(module, name, converted[id(value)])
