"""Residual and Parallel under wrong arguments; their forward and backward are among the calls of layers."""

from functools import partial

from calls_of_layers import in_use, row_of
from wrong_calls import attribute, function
from wrong_values import NO_MODULE, wrong

import pynet

MERGE = wrong(
    ValueError, "{} must be one of 'sum', 'cat', got", text="mean", none=None, number=1, in_capitals="SUM", list=["sum"]
)


def made_with(cls):
    return function(
        cls.__name__,
        lambda layer: cls(pynet.ReLU(), layer),
        lambda: {"layer": pynet.Tanh()},
        wrong={"layer": NO_MODULE},
        shown={"layer": "layer 1"},
    )


CALLS = [
    made_with(pynet.Residual),
    made_with(pynet.Parallel),
    function(
        "Parallel",
        lambda merge: pynet.Parallel(pynet.ReLU(), merge=merge),
        lambda: {"merge": "cat"},
        wrong={"merge": MERGE},
        variant="merge",
    ),
    attribute(partial(in_use, row_of(pynet.Parallel)), "merge", lambda: "cat", MERGE),
]

__all__ = ["CALLS"]
