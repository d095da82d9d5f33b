"""Conversion: each module once, by a function of the user's or by its counterpart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..checks import as_mapping

Others = Mapping[type, Callable[[Any], Any]]


class Conversion:
    """Converts modules; one that stands twice does so afterwards.

    A subclass defines ``_new(module, place)``, and names its function and whose the counterparts are.
    """

    function: str
    library: str

    def __init__(self, others: Others | None) -> None:
        self._others = _as_others(others)
        self._made: dict[int, Any] = {}

    def convert(self, module: Any, place: str = "") -> Any:
        """Return what becomes of a module that stands at this place."""
        if id(module) not in self._made:
            other = self._others.get(type(module))
            self._made[id(module)] = self._new(module, place) if other is None else other(module)
        return self._made[id(module)]

    def _new(self, module: Any, place: str) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _new")

    def _no_counterpart(self, module: Any, place: str) -> TypeError:
        name = type(module).__name__
        return TypeError(
            f"{name}{at(place)} has no counterpart in {self.library}: {self.function}(model, "
            f"others={{{name}: function}}) takes a function that returns one for it"
        )


def at(place: str) -> str:
    """Return a place as it stands in a message."""
    return f" at '{place}'" if place else ""


def below(place: str, name: object) -> str:
    """Return the place of what a module holds under a name."""
    return f"{place}.{name}" if place else str(name)


def _as_others(others: Any) -> Others:
    if others is None:
        return {}
    found = as_mapping(others, "others")
    wrong = [name for name, function in found.items() if not isinstance(name, type) or not callable(function)]
    if wrong:
        raise TypeError(f"others must have functions by class, got {wrong[0]!r:.80}: {found[wrong[0]]!r:.80}")
    return found
