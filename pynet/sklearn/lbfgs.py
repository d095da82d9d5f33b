"""L-BFGS: all rows at once, all parameters as one vector, minimised by SciPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array
from ..compiled.by_modules import as_loss
from .penalty import is_weight


class Objective:
    """A criterion plus ``decay / 2 * ||W||²``, as a function of all parameters in one vector.

    Parameters
    ----------
    model, criterion
        What to minimise.
    X, target : array
        All rows.
    weight : array or None
        What each row counts, 1 in the mean.
    decay : float
        The factor of L2 on weights.
    scale : float
        What loss and gradient are divided by.
    """

    def __init__(
        self, model: Any, criterion: Any, X: Any, target: Array, weight: Array | None, decay: float, scale: float
    ) -> None:
        self._model, self._criterion, self._X, self._target = model, criterion, X, target
        self._weight, self._decay, self._scale = weight, decay, scale
        self._parameters = protocol.all_parameters(model)

    def vector(self) -> Array:
        """Return the parameters."""
        return np.concatenate([parameter.array.ravel() for parameter in self._parameters]).astype(np.float64)

    def assign(self, vector: Array) -> None:
        """Write a vector into the parameters."""
        start = 0
        for parameter in self._parameters:
            end = start + parameter.array.size
            parameter.array[...] = vector[start:end].reshape(parameter.array.shape)
            start = end

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """Return loss and gradient."""
        self.assign(vector)
        output = self._model.forward(self._X)
        grad = self._criterion.backward(output, self._target)
        if self._weight is None:
            loss = as_loss(self._criterion.forward(output, self._target))
        else:
            loss = float(self._weight @ self._criterion.row_losses(output, self._target))
            grad = grad * self._weight.reshape(-1, *[1] * (grad.ndim - 1))
        self._model.backward(self._X, grad)
        loss /= self._scale
        gradients = []
        for parameter in protocol.all_parameters(self._model):
            gradient = parameter.gradient_or_zeros.astype(np.float64) / self._scale
            if self._decay and is_weight(parameter.array):
                loss += 0.5 * self._decay * float(np.vdot(parameter.array, parameter.array))
                gradient += self._decay * parameter.array
            gradients.append(gradient.ravel())
        return loss, np.concatenate(gradients)


def minimise(objective: Objective, max_iter: int, max_fun: int, tol: float) -> Any:
    """Give the parameters their best values; return SciPy's result.

    Raises
    ------
    ArithmeticError
        If the loss at the end is not finite.
    """
    from scipy.optimize import minimize

    options = {"maxiter": max_iter, "maxfun": max_fun, "gtol": tol}
    found = minimize(objective, objective.vector(), method="L-BFGS-B", jac=True, options=options)
    objective.assign(found.x)
    if not math.isfinite(found.fun):
        raise ArithmeticError(f"the loss is {found.fun} after {found.nit} iterations of L-BFGS: scaled inputs may help")
    return found
