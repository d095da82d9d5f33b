"""trace_nan: where in a model the first NaN or infinity comes from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import protocol
from ..arrays import Array, as_array
from ..hooks import register_backward_hook, register_forward_hook
from ..places import own_parameters, places, title
from .trial import trial

__all__ = ["NanReport", "trace_nan"]


class NanReport(NamedTuple):
    """The first array that is not finite; `str` of it is one sentence.

    Attributes
    ----------
    kind : str
        'input', 'parameter', 'buffer', 'output', 'grad_output' (the one that was given), 'grad_input', or 'gradient' (a
        parameter's).
    place : str
        Where the module stands: '2', '1.body', '' for the model itself; also '' for what belongs to no module.
    layer : str
        Its repr; of a module that holds others, its class.
    name : str
        Of a parameter, buffer or gradient: '0.weight'.
    wrong, size : int
        How many values are not finite, of how many.
    first : tuple of int
        The index of the first of them.
    value : float
        What it is.
    given_finite : bool or None
        Whether what the module was given was finite: its input, or going backward its grad_output. None where there is
        no call.
    """

    kind: str
    place: str
    layer: str
    name: str
    wrong: int
    size: int
    first: tuple[int, ...]
    value: float
    given_finite: bool | None

    def __str__(self) -> str:
        module = f"layer {self.place}, {self.layer}" if self.place else self.layer
        whose, what, given = {
            "input": ("the input", "value", ""),
            "parameter": (f"parameter {self.name}", "value", ""),
            "buffer": (f"buffer {self.name}", "value", ""),
            "output": (module, "output", "input"),
            "grad_output": ("grad_output", "value", ""),
            "grad_input": (f"grad_input of {module}", "value", "grad_output"),
            "gradient": (f"the gradient of {self.name} in {module}", "value", "grad_output"),
        }[self.kind]
        values = f"{what}s are" if self.size > 1 else f"{what} is"
        text = (
            f"{whose}: {self.wrong} of {self.size} {values} not finite, the first at {list(self.first)} is {self.value}"
        )
        if given:
            text += f"; its {given} was {'finite' if self.given_finite else 'not'}"
        return text


def trace_nan(model: Any, x: npt.ArrayLike, grad_output: npt.ArrayLike | None = None) -> NanReport | None:
    """Return what is first not finite when ``x`` goes through a model; None if all is.

    In this order: the input, the parameters and buffers, the outputs of the modules as they run, and with
    ``grad_output`` that, then for each module going backward its grad_input and the gradients of its parameters. A copy
    runs, in the model's present modes; nothing in the model or in NumPy's random state changes.

    Parameters
    ----------
    model : module
        A user's own too.
    x : array
        An input of the model.
    grad_output : array, optional
        A gradient at its output: also look at the gradients.

    Returns
    -------
    NanReport or None
        ``str(report)`` is a sentence such as ``layer 2, Linear(64, 10): 3 of 640 outputs are not finite, the first at
        [0, 4] is nan; its input was finite``.

    Raises
    ------
    ShapeError, TypeError
        If ``x`` or ``grad_output`` does not fit: the layer's own error.
    """
    x = as_array(x, "x")
    grad = None if grad_output is None else as_array(grad_output, "grad_output")
    with trial(model) as tried, np.errstate(all="ignore"):
        for report in _in_order(tried, x, grad):
            if report is not None:
                return report
    return None


def _in_order(model: Any, x: Array, grad: Array | None) -> Iterator[NanReport | None]:
    yield _look("input", x)
    for kind, arrays in (("parameter", protocol.all_parameters(model)), ("buffer", protocol.all_buffers(model))):
        for parameter in arrays:
            yield _look(kind, parameter.array, name=parameter.name)
    watch = _Watch()
    yield watch.first(model, register_forward_hook, watch.forward, lambda: model.forward(x))
    if grad is not None:
        yield _look("grad_output", grad)
        backward = functools.partial(protocol.backward, model, x, grad, accumulate=False)
        yield watch.first(model, register_backward_hook, watch.backward, backward)


class _Watch:
    """Looks at what modules compute, and keeps the first that is not finite."""

    def __init__(self) -> None:
        self.found: NanReport | None = None

    def first(
        self, model: Any, register: Callable[..., Any], look: Callable[..., None], run: Callable[[], object]
    ) -> NanReport | None:
        """Return the first report of one run, which may end in an error once there is one."""
        with ExitStack() as stack:
            for place, module in places(model):
                stack.enter_context(register(module, _at(place, look)))
            try:
                run()
            except Exception:
                if self.found is None:
                    raise
        return self.found

    def forward(self, place: str, module: Any, input: Any, output: Any) -> None:
        if self.found is None:
            self.found = _look("output", output, place, module, given=input)

    def backward(self, place: str, module: Any, input: Any, grad_output: Any, grad_input: Any) -> None:
        if self.found is None:
            self.found = _look("grad_input", grad_input, place, module, given=grad_output)
        for parameter in own_parameters(module) if self.found is None else ():
            name = f"{place}.{parameter.name}".removeprefix(".")
            self.found = self.found or _look(
                "gradient", parameter.gradient_or_zeros, place, module, given=grad_output, name=name
            )


def _at(place: str, look: Callable[..., None]) -> Callable[..., None]:
    return lambda *call: look(place, *call)


def _look(
    kind: str, values: Any, place: str = "", module: Any = None, given: Any = None, name: str = ""
) -> NanReport | None:
    array = np.asarray(values)
    if _is_finite(array):
        return None
    wrong = ~np.isfinite(array)
    first = tuple(int(axis[0]) for axis in np.nonzero(np.atleast_1d(wrong)))[: array.ndim]
    return NanReport(
        kind=kind,
        place=place,
        layer="" if module is None else title(module),
        name=name,
        wrong=int(wrong.sum()),
        size=array.size,
        first=first,
        value=float(array[first]),
        given_finite=None if given is None else _is_finite(np.asarray(given)),
    )


def _is_finite(array: Array) -> bool:
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
