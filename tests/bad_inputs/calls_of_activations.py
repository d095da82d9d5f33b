"""The arguments and attributes of activations under wrong values; their forward and backward are in the table."""

from functools import partial

import numpy as np
from calls_of_layers import array_attributes, in_use, row_of
from wrong_calls import attribute, function
from wrong_values import FINITE, POSITIVE, sizes, wrong

import pynet

NO_APPROXIMATION = wrong(ValueError, "approximate must be one of 'none', 'tanh', got", none=None, erf="erf", number=1)
NO_FUNCTION = wrong(TypeError, "{} must be a function of an array, got", none=None, number=5, name="sin")
LIMITS = "min_val must be less than max_val, got"
TOO_HIGH = [*FINITE, *wrong(ValueError, LIMITS, as_high=1.0, higher=1.5)]
TOO_LOW = [*FINITE, *wrong(ValueError, LIMITS, as_low=-1.0, lower=-1.5)]

elu, softplus = partial(in_use, row_of(pynet.ELU)), partial(in_use, row_of(pynet.Softplus))
hardtanh, gelu = partial(in_use, row_of(pynet.Hardtanh)), partial(in_use, row_of(pynet.GELU))
sine = partial(in_use, row_of(pynet.Activation))
prelu = partial(in_use, row_of(pynet.PReLU, lambda module: module.num_parameters > 1))


CALLS = [
    function("ELU", pynet.ELU, lambda: {"alpha": 0.5}, wrong={"alpha": FINITE}),
    function(
        "Softplus",
        pynet.Softplus,
        lambda: {"beta": 2.0, "threshold": 10},
        wrong={"beta": POSITIVE, "threshold": FINITE},
    ),
    function(
        "Hardtanh",
        pynet.Hardtanh,
        lambda: {"min_val": -1, "max_val": 1},
        wrong={"min_val": TOO_HIGH, "max_val": TOO_LOW},
    ),
    function("GELU", pynet.GELU, lambda: {"approximate": "tanh"}, wrong={"approximate": NO_APPROXIMATION}),
    function(
        "PReLU",
        pynet.PReLU,
        lambda: {"num_parameters": 3, "init": 0.1},
        wrong={"num_parameters": sizes(1), "init": FINITE},
    ),
    function(
        "Activation",
        pynet.Activation,
        lambda: {"f": np.sin, "df": np.cos},
        wrong={"f": NO_FUNCTION, "df": NO_FUNCTION},
    ),
    attribute(elu, "alpha", lambda: 0.5, FINITE),
    attribute(softplus, "beta", lambda: 0.5, POSITIVE),
    attribute(softplus, "threshold", lambda: 0.5, FINITE),
    attribute(hardtanh, "min_val", lambda: 0.5, TOO_HIGH),
    attribute(hardtanh, "max_val", lambda: 0.5, TOO_LOW),
    attribute(gelu, "approximate", lambda: "tanh", NO_APPROXIMATION),
    attribute(sine, "f", lambda: np.cos, NO_FUNCTION),
    attribute(sine, "df", lambda: np.cos, NO_FUNCTION),
    *array_attributes(prelu, {"weight": "weight", "grad_weight": "grad_weight"}),
]

__all__ = ["CALLS"]
