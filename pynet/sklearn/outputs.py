"""What a network's outputs mean, criterion by criterion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..criteria import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropy,
    CrossEntropyLoss,
    GaussianNLLLoss,
    KLDivLoss,
    NLLLoss,
)
from ..layers import Sigmoid, SoftMax

# To these a row of outputs is one distribution, in which each class has a column.
DISTRIBUTIONS = (CrossEntropy, CrossEntropyLoss, NLLLoss, KLDivLoss)
# What outputs mean is known of these: probabilities, their logarithms, or scores that an activation makes them of.
PROBABLE = (*DISTRIBUTIONS, BCELoss, BCEWithLogitsLoss)
# What makes predictions of a network's outputs, by scikit-learn's names.
OUT_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda outputs: outputs,
    "logistic": lambda outputs: Sigmoid().forward(outputs),
    "softmax": lambda outputs: SoftMax().forward(outputs),
    "exp": np.exp,
    "means": lambda outputs: outputs[:, : outputs.shape[1] // 2],
}


def out_activation_of(criterion: Any) -> str:
    """Return what belongs to a criterion: those that take scores say nothing of probabilities themselves."""
    if isinstance(criterion, CrossEntropyLoss):
        return "softmax"
    if isinstance(criterion, BCEWithLogitsLoss):
        return "logistic"
    if isinstance(criterion, GaussianNLLLoss):
        return "means"
    of_logs = isinstance(criterion, NLLLoss | KLDivLoss) or getattr(criterion, "log_input", False)
    return "exp" if of_logs else "identity"


def count(number: int, noun: str) -> str:
    """Return "1 output" or "2 outputs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
