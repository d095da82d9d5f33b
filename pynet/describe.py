"""Constructor arguments of objects: for their repr, and to write an architecture to a file."""

import inspect
from typing import Any

from .arrays import get_default_dtype


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


def config_of(owner: Any) -> dict[str, Any]:
    """Return a module's ``config()``, or what its attributes say; checked against what its constructor takes.

    Raises
    ------
    TypeError
        If the constructor would not take it.
    """
    arguments: dict[str, Any] = owner.config() if hasattr(owner, "config") else constructor_arguments(owner)
    taken = _parameters(owner)
    wrong = [name for name in arguments if name not in taken]
    needs = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    wrong += [n for n, p in taken.items() if p.default is p.empty and p.kind in needs and n not in arguments]
    if wrong:
        raise TypeError(
            f"{type(owner).__name__}'s constructor does not take what its config() returns, as '{wrong[0]}' shows: "
            "define config() to return its constructor's arguments as a dict"
        )
    return arguments


def call_text(owner: object) -> str:
    """Return ``owner`` as the call that constructs it, without the arguments that have their defaults."""
    try:
        arguments = config_of(owner)
    except (TypeError, AttributeError, ValueError):  # ValueError: a class of C without a signature
        return f"{type(owner).__name__}()"
    parts = []
    for name, parameter in _parameters(owner).items():
        value = arguments.get(name, parameter.default)
        if name == "dtype":
            if value not in (None, get_default_dtype().name):  # None: nothing of it depends on one
                parts.append(f"dtype={value}")
        elif parameter.kind is parameter.VAR_POSITIONAL:
            parts += map(repr, value)
        elif parameter.default is parameter.empty:
            parts.append(repr(value))
        elif _differs(value, parameter.default):
            parts.append(f"{name}={value!r}")
    return f"{type(owner).__name__}({', '.join(parts)})"


def _parameters(owner: object) -> dict[str, inspect.Parameter]:
    found = inspect.signature(type(owner)).parameters
    return {name: parameter for name, parameter in found.items() if name != "seed"}


def _differs(value: Any, default: Any) -> bool:
    return value is not default and not (type(value) is type(default) and bool(value == default))
