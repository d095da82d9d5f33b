"""How pynet speaks to any module, a user's own included.

A module is whatever has ``forward(input)`` and ``backward(input, grad_output)``. It may have ``parameters()`` and
``grad_parameters()``, ``train()`` and ``eval()``, hold other modules as attributes or in lists, and need not be a
`pynet.Module`, nor have called its ``__init__``. What differs between such modules is dealt with here and nowhere else.
"""

import inspect
import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from . import _core, freezing
from .arrays import Array, aligned
from .criterion import Criterion
from .errors import StateError
from .modes import evaluating_ours, switched_off


def is_module(value: object) -> bool:
    """Whether ``value`` is a module: an object, not a class, that can go forward and backward."""
    if isinstance(value, type | Criterion):
        return False
    return callable(getattr(value, "forward", None)) and callable(getattr(value, "backward", None))


def is_ours(cls: type) -> bool:
    """Whether a class is one of pynet's, and not of somebody who derives from one."""
    return cls.__module__.startswith("pynet.")


def children(module: Any) -> Iterable[tuple[str, Any]]:
    """Return the modules that ``module`` holds, with their names."""
    if getattr(module, "is_leaf", False):
        return ()
    named = getattr(module, "named_children", None)
    return modules_in(attributes_of(module)) if named is None else named()


def attributes_of(module: Any) -> dict[str, Any]:
    """Return an object's attributes; nothing for one with slots."""
    return getattr(module, "__dict__", {})


# What a user's module may keep long lists of, such as losses: not worth a second look.
_PLAIN = {int, float, str, bool, type(None), np.ndarray, np.float32, np.float64}


def modules_in(attributes: dict[Any, Any] | list[Any] | tuple[Any, ...], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the modules among attributes, and in the lists, tuples and dicts among them, with their names."""
    for name, value in list(attributes.items() if isinstance(attributes, dict) else enumerate(attributes)):
        if isinstance(value, list | tuple | dict):
            yield from modules_in(value, f"{prefix}{name}.")
        elif type(value) not in _PLAIN and is_module(value):
            yield f"{prefix}{name}", value


def modules(module: Any) -> list[tuple[str, Any]]:
    """Return a module and all below it, each once, with the prefix of its parameters' names: '', '0.', '1.body.'."""
    found = [("", module)]
    _walk(module, "", {id(module)}, found)
    return found


def _walk(module: Any, prefix: str, seen: set[int], found: list[tuple[str, Any]]) -> None:
    for name, child in children(module):
        if id(child) not in seen:
            seen.add(id(child))
            found.append((f"{prefix}{name}.", child))
            if not getattr(child, "is_leaf", False):
                _walk(child, f"{prefix}{name}.", seen, found)


class Parameter(NamedTuple):
    """A parameter with its name, its gradient (None before a user's layer has one) and the module that has it."""

    name: str
    array: Array
    gradient: Array | None
    owner: Any

    @property
    def gradient_or_zeros(self) -> Array:
        """The gradient; zeros where there is none yet."""
        return np.zeros_like(self.array) if self.gradient is None else self.gradient


def all_parameters(module: Any) -> list[Parameter]:
    """Return the parameters of a module and of all below it.

    A module's own ``parameters()`` may list those of the modules that it holds, or not: each counts once. An array that
    two layers share counts twice if each of them has a gradient for it.
    """
    found: list[Parameter] = []
    listed_by_hand = False
    for prefix, part in modules(module):
        by_hand, names = _speaks_for_itself(part.__class__), getattr(part, "parameter_names", ())
        if by_hand or names:
            listed_by_hand = listed_by_hand or by_hand
            found += [Parameter(prefix + name, array, grad, part) for name, array, grad in own(part)]
    return _each_once(found) if listed_by_hand else found


def all_buffers(module: Any) -> list[Parameter]:
    """Return the arrays of a module and of all below it that are state but do not learn, and have no gradient."""
    return [
        Parameter(prefix + name, getattr(part, name), None, part)
        for prefix, part in modules(module)
        for name in getattr(part, "buffer_names", ())
    ]


def _each_once(found: list[Parameter]) -> list[Parameter]:
    once: list[Parameter] = []
    places: dict[int, list[int]] = {}
    for parameter in found:
        same = places.setdefault(id(parameter.array), [])
        if any(once[place].gradient is parameter.gradient for place in same) or (same and parameter.gradient is None):
            continue
        # Listed by one that had no gradient for it yet, before its first backward: the other's counts.
        empty = next((place for place in same if once[place].gradient is None), None)
        if empty is not None:
            once[empty] = parameter._replace(name=once[empty].name)
            continue
        same.append(len(once))
        once.append(parameter)
    return once


def own(module: Any) -> Iterable[tuple[str, Array, Array | None]]:
    """Return names, arrays and gradients of the parameters that a module itself has, or lists."""
    if _speaks_for_itself(module.__class__):
        arrays = _flatten(module.parameters(), module, "parameters")
        return zip(_names_of(module, arrays), arrays, _gradients_of(module, arrays), strict=True) if arrays else ()
    return [
        (name, array, getattr(module, f"grad_{name}"))
        for name in getattr(module, "parameter_names", ())
        if (array := getattr(module, name)) is not None
    ]


def _speaks_for_itself(cls: Any) -> bool:
    """Whether a class defines ``parameters`` itself, instead of leaving it to `pynet.Module`."""
    own = getattr(cls, "parameters", None)
    return own is not None and not hasattr(own, "collects")


def _names_of(module: Any, arrays: list[Array]) -> list[str]:
    """Return how arrays without names are called: as the attribute they lie in, or as a child calls them."""
    known = [(name, value) for name, value in attributes_of(module).items() if isinstance(value, np.ndarray)]
    if not {id(array) for array in arrays} <= {id(value) for _, value in known}:
        known += [(f"{name}.{p.name}", p.array) for name, child in children(module) for p in all_parameters(child)]
    names: list[str] = []
    for position, array in enumerate(arrays):
        own = (name for name, value in known if value is array and name not in names)
        names.append(next(own, str(position)))
    return names


def _gradients_of(module: Any, arrays: list[Array]) -> list[Array] | list[None]:
    try:
        returned = module.grad_parameters()
    except AttributeError:
        # The notebook's layers have no gradients until their first backward.
        return [None] * len(arrays)
    gradients = _flatten(returned, module, "grad_parameters")
    if len(gradients) != len(arrays):
        raise StateError(
            f"{module!r} has {len(arrays)} parameters but {len(gradients)} gradients: "
            "grad_parameters() must return one for each of parameters(), in the same order"
        )
    return gradients


def _flatten(nested: Any, module: Any, method: str) -> list[Array]:
    """Return one list of arrays: the notebook's Sequential returns a list of lists."""
    if isinstance(nested, np.ndarray):
        return [nested]
    if isinstance(nested, str | bytes) or not isinstance(nested, Iterable):
        raise TypeError(f"{method}() of {module!r:.80} must return arrays, got {nested!r:.80}")
    return [array for item in nested for array in _flatten(item, module, method)]


def grad_parameters(module: Any) -> list[Array]:
    """Return the gradients of `all_parameters`, in the same order; zeros where there are none yet.

    Raises
    ------
    StateError
        If a module has another number of gradients than of parameters.
    """
    return [parameter.gradient_or_zeros for parameter in all_parameters(module)]


def zero_grad(module: Any) -> None:
    """Fill all gradients with zeros."""
    store_gradients(all_parameters(module), np.zeros_like)


def store_gradient(parameter: Parameter, value: Array) -> None:
    """Give a parameter that has a gradient a new one: see `store_gradients`."""
    store_gradients([parameter], lambda gradient: value)


def store_gradients(parameters: Iterable[Parameter], new: Callable[[Array], Array]) -> None:
    """Give parameters that have gradients new ones; all of them or, if one cannot be written, none.

    Ours are written into; a user's, who may have kept what is another's, get a new array in their place.
    """
    with_gradients = [(parameter, parameter.gradient) for parameter in parameters if parameter.gradient is not None]
    for parameter, gradient in with_gradients:
        if not gradient.flags.writeable and _place_of_gradient(parameter) is None:
            raise ValueError(f"the gradient of '{parameter.name}' is read-only")
    for parameter, gradient in with_gradients:
        holder, key = _place_of_gradient(parameter) or (gradient, ...)
        holder[key] = new(gradient)


def _place_of_gradient(parameter: Parameter) -> tuple[Any, Any] | None:
    if getattr(parameter.owner, "keeps_gradients", False):
        return None
    return _place_of(parameter.gradient, attributes_of(parameter.owner))


def _place_of(array: Any, attributes: dict[Any, Any] | list[Any]) -> tuple[Any, Any] | None:
    for key, held in list(attributes.items() if isinstance(attributes, dict) else enumerate(attributes)):
        if held is array:
            return attributes, key
        if isinstance(held, list | dict) and (place := _place_of(array, held)) is not None:
            return place
    return None


def set_mode(module: Any, training: bool) -> None:
    """Switch a module between training and evaluation, by its own ``train()`` or ``eval()``, and what it holds."""
    name = "train" if training else "eval"
    if getattr(module, "is_leaf", False) and name not in vars(module):
        module.training = training
        return
    if not is_module(module):  # among layers by mistake: the next forward will say so
        return
    switch = getattr(module, name, None)
    if switch is not None:
        switch()
    if not hasattr(getattr(module.__class__, name, None), "collects"):
        # Its own methods may know nothing of the modules that it holds.
        for _, child in children(module):
            set_mode(child, training)


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Have a module and all below it compute as in evaluation mode in this context, and leave them in their modes."""
    theirs = [part for _, part in modules(module) if not is_ours(part.__class__)]
    with evaluating_ours(), switched_off([(part, [below for _, below in modules(part)]) for part in theirs]):
        yield


def watch(module: Any) -> _core.Watch | None:
    """Return what tells whether a model of nothing but our own modules still has the same ones with the same arrays.

    None if there are others, which may do with their arrays what they like.
    """
    found = _core.Watch()
    for _, part in modules(module):
        if not is_ours(part.__class__):
            return None
        if not getattr(part, "is_leaf", False):
            found.add_attribute(part, "layers")
    return found


def standing_below(module: Any) -> list[int]:
    """Return the ids of all modules below, each as often as it stands there."""
    return [id(child) for _, part in modules(module) for _, child in children(part)]


def backward(module: Any, input: Any, grad_output: Array, accumulate: bool) -> Array:
    """Call a module's backward, whatever its signature.

    Its gradients are added to those it has if ``accumulate``; those that are frozen stay as they are.
    """
    kept = freezing.gradients_to_keep(module)
    grad_input = _backward(module, input, grad_output, accumulate)
    if kept:
        for parameter in all_parameters(module):
            if parameter.name in kept:
                store_gradient(parameter, kept[parameter.name])
    return grad_input


def _backward(module: Any, input: Any, grad_output: Array, accumulate: bool) -> Array:
    is_ours = getattr(module, "is_leaf", False) and "backward" not in getattr(module, "__dict__", ())
    if is_ours or _takes_accumulate(module.backward):
        return module.backward(input, grad_output, accumulate=accumulate)  # type: ignore[no-any-return]
    if not accumulate:
        return module.backward(input, grad_output)  # type: ignore[no-any-return]
    before = [None if p.gradient is None else p.gradient.copy() for p in all_parameters(module)]
    grad_input: Array = module.backward(input, grad_output)
    for parameter, kept in zip(all_parameters(module), before, strict=True):
        if kept is not None and parameter.gradient is not None:
            store_gradient(parameter, parameter.gradient + kept)
    return grad_input


# Asking for a signature takes 10 us. Weak: a function may hold a whole model, and be held by nobody else.
_taking_accumulate: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def _takes_accumulate(method: Any) -> bool:
    function = getattr(method, "__func__", method)  # a method is bound anew at each look
    try:
        return _taking_accumulate[function]
    except (KeyError, TypeError):
        found = "accumulate" in inspect.signature(method).parameters
    with suppress(TypeError):  # of what has no hash or no room for weak references
        _taking_accumulate[function] = found
    return found


def convert(module: Any, dtype: np.dtype[Any]) -> None:
    """Convert the floating arrays of a module and of all below it; arrays that several share stay shared."""
    converted: dict[int, Array] = {}
    for _, part in modules(module):
        convert_in(attributes_of(part), dtype, converted)
    _core.structure_changed()


def convert_in(attributes: dict[Any, Any] | list[Any], dtype: np.dtype[Any], converted: dict[int, Array]) -> None:
    """Convert the floating arrays among attributes, and in lists, tuples and dicts among them."""
    for name, value in list(attributes.items() if isinstance(attributes, dict) else enumerate(attributes)):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and name != "output":
            if id(value) not in converted:
                new = value if value.dtype == dtype else aligned(value.astype(dtype))
                converted[id(value)] = converted[id(new)] = new  # what is converted stays so if it is met again
            attributes[name] = converted[id(value)]
        elif isinstance(value, list | dict):
            convert_in(value, dtype, converted)
        elif _can_be_rebuilt(value) and name != "_kept":  # a container's last forward, which its backward looks for
            items = list(value)
            convert_in(items, dtype, converted)
            if any(map(operator.is_not, items, value)):  # otherwise it stays the same object
                attributes[name] = value._make(items) if hasattr(value, "_make") else tuple(items)


def _can_be_rebuilt(value: Any) -> bool:
    """Whether it is a tuple, or one with names: other classes of tuples have constructors of their own."""
    return type(value) is tuple or (isinstance(value, tuple) and hasattr(value, "_make"))
