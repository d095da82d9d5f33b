"""A loss as a function of all parameters in one vector, as minimisers of others want it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array
from ..errors import StateError
from ..freezing import learning
from ..roles import as_loss


class Objective:
    """A criterion's loss plus ``decay / 2 * ||p||**2`` for each parameter that is not frozen.

    Parameters
    ----------
    model, criterion
        What to minimise; an array that several layers share is one parameter, with the sum of their gradients.
    X, target : array
        All rows.
    weight : array or None
        What each row counts, 1 in the mean.
    decays : dict
        The weight decay of each parameter, by its name.
    """

    def __init__(
        self, model: Any, criterion: Any, X: Any, target: Any, weight: Array | None, decays: dict[str, float]
    ) -> None:
        self._model, self._criterion, self._X, self._target, self._weight = model, criterion, X, target, weight
        named = {id(parameter.array): parameter for parameter in reversed(learning(model))}
        self._parameters = [named[key] for key in reversed(named)]
        if not any(parameter.array.size for parameter in self._parameters):
            raise ValueError("the model has no parameters that learn")
        self._decays = [decays[parameter.name] for parameter in self._parameters]

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
        loss = self._loss_and_backward()
        gradients = self._gradients()
        parts = []
        for parameter, decay in zip(self._parameters, self._decays, strict=True):
            array = parameter.array.astype(np.float64, copy=False)
            loss += 0.5 * decay * float(np.vdot(array, array))
            parts.append((gradients[id(parameter.array)] + decay * array).ravel())
        return loss, np.concatenate(parts)

    def _loss_and_backward(self) -> float:
        output = self._model.forward(self._X)
        if self._weight is None:
            loss = as_loss(self._criterion.forward(output, self._target))
        else:
            loss = float(self._weight @ self._criterion.row_losses(output, self._target))
        grad = self._criterion.backward(output, self._target)
        if self._weight is not None:
            grad = grad * self._weight.reshape(-1, *[1] * (grad.ndim - 1))
        protocol.backward(self._model, self._X, grad, accumulate=False)
        return loss

    def _gradients(self) -> dict[int, Array]:
        sums: dict[int, Array] = {}
        for parameter in protocol.all_parameters(self._model):
            if parameter.gradient is None:
                raise StateError(f"parameter '{parameter.name}' has no gradient after a backward")
            gradient = np.asarray(parameter.gradient, np.float64)
            key = id(parameter.array)
            sums[key] = sums[key] + gradient if key in sums else gradient
        return sums
