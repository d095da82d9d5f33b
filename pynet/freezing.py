"""Freezing: modules whose parameters stay as they are, a user's own among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from . import protocol
from .arrays import Array

Method = TypeVar("Method", bound=Callable[..., Any])


def leaves_frozen(method: Method) -> Method:
    """Mark a backward that computes no gradients of parameters that are frozen."""
    method.leaves_frozen = True  # type: ignore[attr-defined]
    return method


def knows(module: Any) -> bool:
    """Whether a module's backward itself leaves the gradients of frozen parameters alone."""
    # An attribute that it does not find takes a bound method long, so the class's is asked if that is what is called.
    called = module if "backward" in getattr(module, "__dict__", ()) else module.__class__
    return getattr(getattr(called, "backward", None), "leaves_frozen", False)


def is_frozen(module: Any) -> bool:
    """Whether a module's own parameters are frozen."""
    return getattr(module, "frozen", False) is True


def set_frozen(module: Any, frozen: bool) -> None:
    """Freeze a module and all below it, or let them learn again.

    Raises
    ------
    TypeError
        If a module with parameters has no room for the flag; nothing has changed then.
    """
    parts = [part for _, part in protocol.modules(module)]
    with_room = [part for part in parts if hasattr(part, "__dict__") or hasattr(type(part), "frozen")]
    for part in parts if frozen and len(with_room) < len(parts) else ():
        if not any(part is other for other in with_room) and list(protocol.own(part)):
            raise TypeError(f"{type(part).__name__} has __slots__ and no room for 'frozen': add it to them")
    for part in with_room:
        part.frozen = frozen


def frozen_arrays(module: Any) -> frozenset[int]:
    """Return the ids of the parameters that frozen modules have, each of which is frozen wherever it stands."""
    frozen = [part for _, part in protocol.modules(module) if is_frozen(part)]
    return frozenset(id(array) for part in frozen for _, array, _ in protocol.own(part))


def learning(module: Any) -> list[protocol.Parameter]:
    """Return the parameters that are not frozen."""
    frozen, parameters = frozen_arrays(module), protocol.all_parameters(module)
    return [parameter for parameter in parameters if id(parameter.array) not in frozen] if frozen else parameters


def gradients_to_keep(module: Any) -> dict[str, Array] | None:
    """Return copies of the frozen gradients that a module's backward would write, by name; None if there are none."""
    if knows(module) or (getattr(module, "is_leaf", False) and not is_frozen(module)):
        return None
    frozen = frozen_arrays(module)
    if not frozen:
        return None
    parameters = protocol.all_parameters(module)
    return {p.name: p.gradient.copy() for p in parameters if id(p.array) in frozen and p.gradient is not None}
