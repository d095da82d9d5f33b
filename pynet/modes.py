"""Training or evaluation: the mode that modules are in, and the one that they are asked to compute in for a while."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_evaluating = ContextVar("evaluating", default=False)
_FLAGS = ("training", "_train")  # what the flag is called, here and in the notebook


def is_evaluating() -> bool:
    """Whether this context computes what modules give in evaluation mode, whatever mode they are in."""
    return _evaluating.get()


@contextmanager
def evaluating_ours() -> Iterator[None]:
    """Have pynet's own modules compute as in evaluation mode, in this context alone; their flags stay as they are."""
    token = _evaluating.set(True)
    try:
        yield
    finally:
        _evaluating.reset(token)


class _Away:
    """A user's module that is in evaluation mode for a while: for how many, and what flags there were before."""

    def __init__(self, below: list[Any]) -> None:
        self.count = 0
        self.flags = [(part, name, value) for part in below for name, value in _flags_of(part)]

    @property
    def is_as_before(self) -> bool:
        return all(getattr(part, name) == value for part, name, value in self.flags)


_away: dict[int, _Away] = {}
_lock = threading.RLock()


@contextmanager
def switched_off(modules: list[tuple[Any, list[Any]]]) -> Iterator[None]:
    """Have users' modules in evaluation mode for a while, by their own ``eval()``, and then as they were before.

    Each comes with all that is below it, itself included, for its ``eval()`` may switch that too. Where several threads
    are at it at the same time, the last one switches back.
    """
    with _lock:
        # All flags before any is switched: a module's own eval() may switch those that come after it.
        for module, below in modules:
            if id(module) not in _away:
                _away[id(module)] = _Away(below)
            _away[id(module)].count += 1
        try:
            for module, _ in modules:
                if _away[id(module)].count == 1:
                    _switch(module, "eval")
        except BaseException:
            _leave(modules)
            raise
    try:
        yield
    finally:
        with _lock:
            _leave(modules)


def _leave(modules: list[tuple[Any, list[Any]]]) -> None:
    for module, _ in reversed(modules):
        away = _away[id(module)]
        away.count -= 1
        if not away.count:
            del _away[id(module)]
            _switch_back(module, away)


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_renew_lock)  # in a child nobody would release what another thread holds


def _switch(module: Any, name: str) -> None:
    own = getattr(module, name, None)
    if own is not None and not hasattr(getattr(module.__class__, name, None), "collects"):
        own()
    elif hasattr(module, "training"):
        module.training = name == "train"


def _switch_back(module: Any, away: _Away) -> None:
    if away.is_as_before:  # it was in evaluation mode
        return
    _switch(module, "train")
    for part, name, value in away.flags:
        setattr(part, name, value)


def _flags_of(module: Any) -> list[tuple[str, Any]]:
    """Return the flag that says a module's mode; of one that has another name, all that may be it."""
    known = next((name for name in _FLAGS if hasattr(module, name)), None)
    if known is not None:
        return [(known, getattr(module, known))]
    attributes = getattr(module, "__dict__", {})
    return [(name, value) for name, value in attributes.items() if isinstance(value, bool)]
