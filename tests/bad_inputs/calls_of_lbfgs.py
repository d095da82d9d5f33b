"""L-BFGS under wrong arguments."""

from typing import Any

import numpy as np
from calls_of_groups import GROUPS
from calls_of_layers import network
from wrong_calls import Call, attribute, function, method
from wrong_values import AT_LEAST_ZERO, NO_MODULE, few, made, no_numbers, sizes, wrong

import pynet


def minimiser() -> Any:
    return pynet.optim.LBFGS(network(), max_iter=2)


X, Y = np.random.default_rng(0).normal(size=(5, 4)), np.ones((5, 3))
COUNTS, TOLERANCES = ("max_iter", "max_eval", "history_size"), ("tolerance_grad", "tolerance_change", "weight_decay")

CALLS: list[Call] = [
    function(
        "optim.LBFGS",
        pynet.optim.LBFGS,
        lambda: {"model": network(), "max_iter": 5, "weight_decay": 0.1},
        wrong={"model": NO_MODULE}
        | dict.fromkeys(COUNTS, sizes(1))
        | dict.fromkeys(TOLERANCES, AT_LEAST_ZERO)
        | {"groups": GROUPS[:4]},
    ),
    *[attribute(minimiser, name, lambda: 5, sizes(1)) for name in COUNTS],
    *[attribute(minimiser, name, lambda: 0.5, AT_LEAST_ZERO) for name in TOLERANCES],
    method(
        minimiser,
        "minimize",
        lambda: {"criterion": pynet.MSE(), "X": X.copy(), "y": Y.copy(), "sample_weight": np.ones(5)},
        wrong={
            "criterion": wrong(TypeError, "criterion must have forward and backward", none=None, cls=pynet.MSE),
            "y": few(no_numbers((5, 3))) + made(pynet.ShapeError, "target", fewer=lambda: Y[:3]),
            "sample_weight": [
                *made(pynet.ShapeError, "{} has shape", fewer=lambda: np.ones(3), rows=lambda: np.ones((5, 1))),
                *made(ValueError, "{} must be finite", negative=lambda: -np.ones(5), nan=lambda: np.full(5, np.nan)),
                *made(ValueError, "{} must hold numbers that are not all 0", zeros=lambda: np.zeros(5)),
                *made(TypeError, "{} must be an array", texts=lambda: np.full(5, "1")),
            ],
            "callback": wrong(TypeError, "{} must be a function", number=5, text="print"),
        },
        shown={"y": "target"},
        may_change=(".output", "._kept", ".grad_output"),
        needs="scipy.optimize",
    ),
]
