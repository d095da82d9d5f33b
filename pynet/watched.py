"""Attributes that are checked when they are assigned, whose change compiled steps see, or that cannot change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _core


class _Attribute:
    """What is kept under its own name among an object's other attributes; a subclass says what assigning does."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        try:
            return vars(instance)[self._name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__} has no {self._name} yet") from None


class Watched(_Attribute):
    """An attribute of a layer, a criterion or an optimizer.

    Parameters
    ----------
    check : callable
        Given a value and the attribute's name; returns what is kept, or raises.
    doc : str
        What it means.
    changed : callable, optional
        Told of every assignment but the first.
    """

    def __init__(
        self,
        check: Callable[[Any, str], Any],
        doc: str,
        changed: Callable[[], None] = _core.structure_changed,
    ) -> None:
        self._check, self.__doc__, self._changed = check, doc, changed

    def __set__(self, instance: Any, value: Any) -> None:
        attributes, value = vars(instance), self._check(value, self._name)
        is_new = self._name not in attributes  # of an object that is being constructed: nobody has looked at it
        attributes[self._name] = value
        if not is_new:
            self._changed()


class Fixed(_Attribute):
    """An attribute that the constructor sets: arrays are made for it, and kernels rely on it.

    Parameters
    ----------
    doc : str
        What it means.
    """

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set__(self, instance: Any, value: Any) -> None:
        if vars(instance).setdefault(self._name, value) != value:
            owner = type(instance).__name__
            raise AttributeError(f"{self._name} of a {owner} cannot change, got {value!r:.80}: make another {owner}")
