"""What an estimator is given, checked: each returns it, or raises and says what was expected."""

from __future__ import annotations

from typing import Any

from ..callbacks import Callback
from ..checks import as_items
from ..training.arguments import as_callbacks


def as_eval_set(given: Any) -> tuple[Any, Any, Any]:
    """Return inputs and targets of the rows to watch, and what they count, or None."""
    pairs = isinstance(given, list) and given and all(isinstance(each, tuple) for each in given)
    if pairs:
        raise TypeError("eval_set must be a pair (X, y), got a list of pairs: give the pair itself")
    if not isinstance(given, tuple | list):
        raise TypeError(f"eval_set must be (X, y) or (X, y, sample_weight), got {type(given).__name__}")
    if len(given) not in (2, 3):
        got = f"a {type(given).__name__} of {len(given)}"
        raise TypeError(f"eval_set must be (X, y) or (X, y, sample_weight), got {got}")
    X, y, *weight = given
    return X, y, weight[0] if weight else None


def as_own_callbacks(given: Any, optimizer: Any) -> list[Callback]:
    """Return the callbacks, those that functions make of the optimizer among them."""
    given = () if given is None else [given] if isinstance(given, Callback) or callable(given) else given
    return as_callbacks([each(optimizer) if _makes_callbacks(each) else each for each in as_items(given, "callbacks")])


def as_optimizer_maker(given: Any) -> Any:
    """Return what makes an optimizer of a module."""
    without_step = isinstance(given, type) and not callable(getattr(given, "step", None))
    if without_step or not callable(given):
        expected = "a class or function that makes what has step(), as pynet.optim.Adam"
        raise TypeError(f"optimizer must be {expected}, got {given!r:.80}")
    return given


def _makes_callbacks(given: Any) -> bool:
    return callable(given) and not isinstance(given, Callback | type)
