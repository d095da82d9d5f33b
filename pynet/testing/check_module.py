"""check_module: everything that a network asks of a layer, tried on one of your own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array, as_array
from ..checks import as_size
from ..places import text_of
from .checks import CHECKS, Advice
from .report import CheckError, ModuleReport, Row
from .subject import Subject


def check_module(make: Callable[[], Any], input_shape: Sequence[int] | Array) -> ModuleReport:
    """Try on a layer of your own everything that a network asks of it, and report row by row.

    The rows by which pynet's own layers are tested: gradients against finite differences in training and in evaluation,
    float32, memory layouts, accumulation, copies, state and the rest. The layer may be a plain class with the
    notebook's ``forward`` and ``backward``; it is made anew for each row and converted to float64.

    Parameters
    ----------
    make : callable
        Returns a new module, always of the same kind: a class, or ``lambda: Scale(3)``.
    input_shape : tuple of int, or array
        The shape of an input, batch first; its numbers are random and at least 0.1 away from 0, where many layers have
        a kink. Or an array: the input itself, for a layer that wants other numbers, such as a logarithm.

    Returns
    -------
    ModuleReport
        Its ``rows`` are (name, status, text); printed, a table. A row with a "note" says what pynet's own layers do and
        yours does not, and can live without: refuse a grad_output that broadcasts, or treat rows one by one.

    Raises
    ------
    CheckError
        An AssertionError, if a row failed: lists the failing rows with expected and got; ``error.report`` has all.
    TypeError, ValueError
        If ``make`` does not make modules, or ``input_shape`` is none.

    Notes
    -----
    NumPy's random state is left as it was. Gradients are compared as `gradcheck` does, which takes one module and an
    input, and criteria too.

    Examples
    --------
    >>> import pynet
    >>> report = pynet.testing.check_module(lambda: pynet.Linear(4, 3), (5, 4))
    >>> report.failures
    ()
    """
    before = np.random.get_state()
    try:
        point = _as_point(input_shape)
        report = ModuleReport(_title(make, point.shape), _rows(make, point))
    finally:
        np.random.set_state(before)
    if report.failures:
        raise CheckError(report)
    return report


def _title(make: Any, shape: tuple[int, ...]) -> str:
    if protocol.is_module(make):
        name = type(make).__name__
        raise TypeError(f"make must be a callable that returns a new module, got a {name}: write lambda: {name}(...)")
    if not callable(make):
        raise TypeError(f"make must be a callable that returns a new module, got {type(make).__name__}")
    module: Any = make()
    if not protocol.is_module(module):
        raise TypeError(f"make must return a module with forward and backward, got {type(module).__name__}")
    if module is make():
        raise ValueError(f"make must return a new {type(module).__name__} at each call, got the same one twice")
    return f"{text_of(module)} at an input of shape {shape}"


def _as_point(value: Any) -> Array:
    if isinstance(value, np.ndarray):
        return as_array(value, "input").astype(np.float64, order="C")
    try:
        shape = tuple(as_size(size, "input_shape") for size in value)
    except TypeError:
        raise TypeError(f"input_shape must be a tuple of ints, or an array, got {value!r}") from None
    random = np.random.default_rng(1)
    point: Array = random.uniform(0.1, 2, shape) * random.choice([-1, 1], shape)
    return point


def _rows(make: Callable[[], Any], point: Array) -> tuple[Row, ...]:
    try:
        subject = Subject(make, point)
    except Exception as error:
        return (Row("forward works", "FAIL", _text(error)),)
    return tuple(_row(name, check, subject) for name, check in CHECKS.items())


def _row(name: str, check: Callable[[Subject], str], subject: Subject) -> Row:
    try:
        return Row(name, "ok", check(subject))
    except Advice as advice:
        return Row(name, "note", str(advice))
    except AssertionError as error:
        return Row(name, "FAIL", str(error))
    except Exception as error:
        return Row(name, "FAIL", _text(error))


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
