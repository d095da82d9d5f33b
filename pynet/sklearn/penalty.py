"""L2 that draws weights to zero and leaves biases alone, as scikit-learn means ``alpha``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array
from ..optim import SGD, Adam


class _Penalised:
    """Adds ``penalty * W`` to the gradients of weights before each step, which therefore runs module by module."""

    model: Any
    penalty = 0.0

    def step(self) -> None:
        """Move all parameters."""
        for parameter in protocol.all_parameters(self.model):
            if parameter.gradient is not None and is_weight(parameter.array):
                parameter.gradient[...] += self.penalty * parameter.array
        super().step()  # type: ignore[misc]


class PenalisedSGD(_Penalised, SGD):
    """SGD with L2 on weights alone."""


class PenalisedAdam(_Penalised, Adam):
    """Adam with L2 on weights alone."""


def is_weight(array: Array) -> bool:
    """Whether a parameter is penalised: biases and BatchNorm's scales are not."""
    return array.ndim > 1


def weights_of(model: Any) -> list[Array]:
    """Return the parameters that are penalised."""
    return [parameter.array for parameter in protocol.all_parameters(model) if is_weight(parameter.array)]


def squared(weights: list[Array]) -> float:
    """Return the sum of the squares of all weights."""
    return float(sum(np.vdot(array, array) for array in weights))
