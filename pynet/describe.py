"""Constructor arguments of objects: for their repr, and to write an architecture to a file."""

import inspect
from typing import Any


def constructor_arguments(owner: object) -> dict[str, Any]:
    """Return the arguments that would construct ``owner``: its attributes of the same names.

    Raises
    ------
    TypeError
        If an argument is kept under no attribute of its name.
    """
    names = list(_parameters(owner))
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        raise TypeError(
            f"{type(owner).__name__} keeps no attribute '{missing[0]}' to construct it anew from: "
            "define config() to return its constructor's arguments as a dict"
        )
    return {name: getattr(owner, name) for name in names}


def call_text(owner: object) -> str:
    """Return ``owner`` as the call that constructs it, without the arguments that have their defaults."""
    try:
        arguments = owner.config() if hasattr(owner, "config") else constructor_arguments(owner)
    except (TypeError, AttributeError):
        return f"{type(owner).__name__}()"
    parts = []
    for name, parameter in _parameters(owner).items():
        value = arguments.get(name, parameter.default)
        if parameter.default is parameter.empty:
            parts.append(repr(value))
        elif _differs(value, parameter.default):
            parts.append(f"{name}={value}" if name == "dtype" else f"{name}={value!r}")
    return f"{type(owner).__name__}({', '.join(parts)})"


def _parameters(owner: object) -> dict[str, inspect.Parameter]:
    found = inspect.signature(type(owner)).parameters
    return {name: parameter for name, parameter in found.items() if name != "seed"}


def _differs(value: Any, default: Any) -> bool:
    return value is not default and not (type(value) is type(default) and bool(value == default))
