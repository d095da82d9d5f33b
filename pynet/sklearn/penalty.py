"""L2 that draws weights to zero and leaves biases alone, as scikit-learn means ``alpha``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array


def biases_alone(model: Any) -> list[dict[str, Any]]:
    """Return the parameter group that an optimizer's weight decay leaves alone; none if all are weights."""
    names = [parameter.name for parameter in protocol.all_parameters(model) if not is_weight(parameter.array)]
    return [{"parameters": names, "weight_decay": 0.0}] if names else []


def is_weight(array: Array) -> bool:
    """Whether a parameter is penalised: biases and BatchNorm's scales are not."""
    return array.ndim > 1


def weights_of(model: Any) -> list[Array]:
    """Return the parameters that are penalised."""
    return [parameter.array for parameter in protocol.all_parameters(model) if is_weight(parameter.array)]


def squared(weights: list[Array]) -> float:
    """Return the sum of the squares of all weights."""
    return float(sum(np.vdot(array, array) for array in weights))
