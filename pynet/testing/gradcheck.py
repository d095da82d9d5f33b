"""Checking a gradient against finite differences, in one line."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import protocol
from ..arrays import Array, as_array
from ..criterion import Criterion
from ..errors import GradientError, ShapeError
from ..freezing import set_frozen
from ..module import Module
from .weights import mixed_weights

__all__ = ["GradientReport", "gradcheck"]


class GradientReport(NamedTuple):
    """What `gradcheck` compared.

    Attributes
    ----------
    checked : int
        Number of derivatives compared.
    worst_error : float
        How far the worst of them is from its finite difference.
    worst : str
        Which one that is: ``input[2, 0]``, ``0.weight[1, 3]``; the worst in units of what is allowed.
    """

    checked: int
    worst_error: float
    worst: str


def gradcheck(
    module: Any,
    input: npt.ArrayLike,
    target: npt.ArrayLike | None = None,
    *,
    grad_output: npt.ArrayLike | None = None,
    atol: float = 1e-8,
    rtol: float = 1e-6,
) -> GradientReport:
    """Compare the gradients of a module or a criterion with central differences, in float64.

    For a module the gradients of ``sum(output * grad_output)``, for one fixed ``grad_output``, at the input and
    at every parameter; for a criterion that of the loss at the input. Nothing in the module changes: a copy is checked,
    and each evaluation starts from the same state and the same random numbers, so that dropout keeps one mask.

    Parameters
    ----------
    module : module or Criterion
        What to check; a user's own too.
    input : array
        Where; converted to float64.
    target : array, optional
        For a criterion, its target.
    grad_output : array, optional
        For a module, what each output counts; fixed random numbers of both signs, from 0.25 to 4 in size, unless given.
    atol, rtol : float, default 1e-8, 1e-6
        A derivative may differ by ``atol + rtol * abs(expected)``.

    Returns
    -------
    GradientReport

    Raises
    ------
    GradientError
        If a derivative differs: names the array and the index that is worst, expected and got, and says so if the point
        seems to lie on a kink, where there is no derivative.

    Notes
    -----
    Indices have no gradient: of a model that holds an `Embedding` the parameters alone are checked, and at the input
    the shape of its gradient.

    The step is 6e-6 max(1, |x|), near the cube root of the rounding error, which is best for central differences:
    Press et al., "Numerical recipes", section 5.7. Outputs are subtracted element by element before they are summed.
    """
    point = as_array(input, "input").astype(np.float64)
    if isinstance(module, Criterion) or (target is not None and not isinstance(module, Module)):
        if target is None:
            raise TypeError(f"{type(module).__name__} is a criterion: write gradcheck(criterion, input, target)")
        if grad_output is not None:
            raise TypeError(f"{type(module).__name__} is a criterion, which has no grad_output")
        function: _Function = _CriterionAt(module, target)
    elif protocol.is_module(module):
        if target is not None:
            raise TypeError(f"{type(module).__name__} is a module: write gradcheck(module, input)")
        function = _ModuleAt(module, grad_output)
    else:
        raise TypeError(f"gradcheck takes a module or a criterion, got {type(module).__name__}")
    return _compare(function, point, atol, rtol)


class _Function:
    """A function of an input and of named parameters, and its gradients."""

    takes_indices = False

    def parameter(self, name: str) -> Array:
        """Return the parameter of that name."""
        raise KeyError(name)

    def value(self, point: Array, name: str = "input", index: Any = None, shift: float = 0.0) -> Array:
        """Return the output, with one number of the input or of a parameter shifted."""
        point = point.copy()
        if index is not None and name == "input":
            point[index] += shift
        return self._value(point, name, index, shift)

    def _value(self, point: Array, name: str, index: Any, shift: float) -> Array:
        raise NotImplementedError

    def gradients(self, point: Array) -> dict[str, Array]:
        """Return what backward gives for the input and every parameter."""
        raise NotImplementedError

    def weights(self, point: Array) -> Array:
        """Return what each output counts: the grad_output."""
        return np.ones(())


class _CriterionAt(_Function):
    def __init__(self, criterion: Any, target: Any) -> None:
        self._criterion, self._target = copy.deepcopy(criterion), target

    def _value(self, point: Array, name: str, index: Any, shift: float) -> Array:
        return np.asarray(self._criterion.forward(point, self._target))

    def gradients(self, point: Array) -> dict[str, Array]:
        return {"input": np.asarray(self._criterion.backward(point, self._target))}


class _ModuleAt(_Function):
    """A module in float64; every evaluation is of a fresh copy, from one state of NumPy's random numbers."""

    def __init__(self, module: Any, grad_output: npt.ArrayLike | None) -> None:
        self._module = copy.deepcopy(module)
        self.takes_indices = any(getattr(part, "takes_indices", False) for _, part in protocol.modules(module))
        protocol.convert(self._module, np.dtype(np.float64))
        set_frozen(self._module, False)
        self._random = np.random.get_state()
        self._grad_output = None if grad_output is None else as_array(grad_output, "grad_output").astype(np.float64)

    def parameter(self, name: str) -> Array:
        return self._named(self._module)[name]

    @staticmethod
    def _named(module: Any) -> dict[str, Array]:
        return {parameter.name: parameter.array for parameter in protocol.all_parameters(module)}

    def _fresh(self) -> Any:
        np.random.set_state(self._random)
        return copy.deepcopy(self._module)

    def _value(self, point: Array, name: str, index: Any, shift: float) -> Array:
        module = self._fresh()
        if name != "input":
            self._named(module)[name][index] += shift
        return _as_result(module.forward(point), "forward")

    def weights(self, point: Array) -> Array:
        shape = self.value(point).shape
        if self._grad_output is None:
            return mixed_weights(shape)
        if self._grad_output.shape != shape:
            raise ShapeError(f"grad_output has shape {self._grad_output.shape}, expected {shape} as the output")
        return self._grad_output

    def gradients(self, point: Array) -> dict[str, Array]:
        module = self._fresh()
        weights = self.weights(point)
        np.random.set_state(self._random)
        module.forward(point)
        found = {"input": _as_result(protocol.backward(module, point, weights, accumulate=False), "backward")}
        found.update(zip(self._named(module), map(np.array, protocol.grad_parameters(module)), strict=True))
        return found


def _compare(function: _Function, point: Array, atol: float, rtol: float) -> GradientReport:
    before = np.random.get_state()
    try:
        gradients, weights, center = function.gradients(point.copy()), function.weights(point), function.value(point)
        if gradients["input"].shape != point.shape:
            raise GradientError(f"input: expected a gradient of shape {point.shape}, got {gradients['input'].shape}")
        checked, worst_error, worst_ratio, worst, failure = 0, 0.0, -1.0, "", ""
        for name, gradient in gradients.items():
            values = point if name == "input" else function.parameter(name)
            if name == "input" and function.takes_indices:
                continue
            if gradient.shape != values.shape:
                raise GradientError(f"{name}: expected a gradient of shape {values.shape}, got {gradient.shape}")
            for index in np.ndindex(gradient.shape):
                step = 6e-6 * max(1.0, abs(float(values[index])))
                low, high = (function.value(point, name, index, shift) for shift in (-step, step))
                expected = float(np.sum((high - low) * weights)) / (2 * step)
                got = float(gradient[index])
                error = abs(got - expected)
                allowed = atol + rtol * abs(expected)
                ratio = error / allowed if allowed else np.inf * np.sign(error) if error else 0.0
                checked += 1
                if not ratio <= worst_ratio:  # a NaN is worst
                    worst, worst_ratio, worst_error = f"{name}{list(index)}", ratio, error
                    sides = (
                        float(np.sum((center - low) * weights)) / step,
                        float(np.sum((high - center) * weights)) / step,
                    )
                    failure = "" if ratio <= 1 else _message(worst, expected, got, *sides)
                    if np.isnan(ratio):
                        raise GradientError(failure)
        if failure:
            raise GradientError(failure)
        return GradientReport(checked, worst_error, worst)
    finally:
        np.random.set_state(before)


def _as_result(value: Any, method: str) -> Array:
    if not isinstance(value, np.ndarray | np.number):
        raise TypeError(f"{method} must return an array, got {type(value).__name__}")
    return np.array(value)


def _message(where: str, expected: float, got: float, left: float, right: float) -> str:
    text = f"{where}: expected {expected:.10g} (central difference), got {got:.10g}"
    # Across a kink the two sides differ by the jump; on smooth ground only by the curvature times the tiny step.
    if abs(left - right) > 1e-3 * max(1.0, abs(left), abs(right)):
        text += f"; the point lies on a kink, with slope {left:.6g} to its left and {right:.6g} to its right: move it"
    return text
