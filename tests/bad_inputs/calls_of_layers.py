"""Modules under wrong arguments: every row of the table of modules, constructors, attributes, states."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from table import MODULES, Case, name_of
from wrong_calls import Call, attribute, function, method
from wrong_values import (
    AT_LEAST_ZERO,
    DTYPES,
    FINITE,
    FRACTION,
    NO_INT,
    NO_MAPPING,
    NO_MODULE,
    NO_NUMBERS,
    NONE,
    SEEDS,
    SHARE,
    Wrong,
    arrays_of_shapes,
    few,
    made,
    nan,
    no_numbers,
    shapes_unlike,
    sizes,
    wrong,
)

import pynet
from pynet.layers.elementwise import Elementwise


def in_use(case: Case) -> Any:
    """A module with an output, a mask, statistics and gradients."""
    module, x = case.module(), case.input()
    module.backward(x, np.ones_like(module.forward(x)))
    return module


def row_of(cls: type, kind: Callable[[Any], Any] = lambda module: True) -> Case:
    """The first row of the table with a module of this class and kind."""
    return next(case for case in MODULES if type(case.make()) is cls and kind(case.make()))


def wrong_shapes_of_input(module: Any, shape: tuple[int, ...]) -> list[Wrong]:
    """Inputs that a layer cannot take."""
    if isinstance(module, pynet.Sequential):
        return wrong_shapes_of_input(module[0], shape) if len(module) else []
    if isinstance(module, pynet.Linear):
        wrong_ones = [s for s in shapes_unlike(shape) if len(s) < 2 or s[-1] != shape[-1]]
        return arrays_of_shapes(*wrong_ones, says="expected (at least 2 axes|[0-9]+)")
    if isinstance(module, pynet.BatchNorm):
        wrong_ones = [s for s in shapes_unlike(shape) if len(s) < 2 or s[1] != shape[1]]
        few = [(1, shape[1]), (0, shape[1]), (1, shape[1], 1)] if module.training else []
        refused = [
            Wrong(f"shape{s}", partial(np.ones, s), ValueError, r"{} has [01] value\(s\) per channel, expected more")
            for s in few
        ]
        return arrays_of_shapes(*wrong_ones, says="expected (at least 2 axes|[0-9]+)") + refused
    if isinstance(module, pynet.PReLU):
        wrong_ones = [s for s in shapes_unlike(shape) if len(s) < 2 or s[1] != shape[1]]
        return arrays_of_shapes(*wrong_ones, says="expected") if module.num_parameters > 1 else []
    if isinstance(module, pynet.SoftMax | pynet.LogSoftMax):
        return [Wrong("shape()", lambda: np.float64(1), pynet.ShapeError, "{} has no axes, expected")]
    if isinstance(module, pynet.LayerNorm | pynet.RMSNorm):
        last = module.normalized_shape
        wrong_ones = [s for s in shapes_unlike(shape) if s[-len(last) :] != last]
        return arrays_of_shapes(*wrong_ones, says="has shape .*, expected")
    if isinstance(module, pynet.GroupNorm):
        wrong_ones = [s for s in shapes_unlike(shape) if len(s) < 2 or s[1] != shape[1]]
        return arrays_of_shapes(*wrong_ones, says="expected (at least 2 axes|[0-9]+)")
    if isinstance(module, pynet.Columns):
        return arrays_of_shapes((), (3,), (5, 3, 1), says="expected 2 axes")
    if isinstance(module, pynet.Unflatten):
        return arrays_of_shapes((), (5, 3, 3), (5, 3), says="(which has no axis|whose axis)")
    if isinstance(module, pynet.Reshape):
        return arrays_of_shapes((), (5, 3, 3), (5, 3), says="which does not make")
    if isinstance(module, pynet.Embedding):
        return NO_INDICES
    if isinstance(module, pynet.Flatten) and module.start_dim == 1:
        return arrays_of_shapes((), (3,), says="which has no axes")
    return []


NO_INDICES = made(
    ValueError,
    "{} has index .* at .*, expected whole numbers from 0 to",
    negative=lambda: [0, -1],
    too_large=lambda: np.array([[0, 1], [10, 2]]),
    largest_int=lambda: np.array([2**63 - 1]),
    largest_uint=lambda: np.array([2**64 - 1], np.uint64),
    half=lambda: [0.5],
    nan=lambda: [nan],
    inf=lambda: np.array(np.inf),
    huge=lambda: [1e300],
)

# What these do with their arguments is done by the same lines as ReLU's and SoftMax's.
ACTIVATIONS = (Elementwise, pynet.LogSoftMax)


def calls_of(case: Case) -> list[Call]:
    """Forward and backward of one row of the table of modules."""
    make, shape = partial(in_use, case), case.shape
    module = make()
    out = module.forward(case.input()).shape
    shapes = wrong_shapes_of_input(module, shape)
    grads = arrays_of_shapes(*shapes_unlike(out), says="(has shape|features, expected|expected at least 2 axes)")
    variant = name_of(case)
    in_full = case is row_of(type(module)) and (type(module) is pynet.ReLU or not isinstance(module, ACTIVATIONS))
    some = no_numbers if in_full else lambda shape: few(no_numbers(shape))

    def right_backward():
        return {"input": case.input(), "grad_output": np.ones(out)}

    return [
        method(
            make, "forward", lambda: {"input": case.input()}, wrong={"input": some(shape) + shapes}, variant=variant
        ),
        method(
            make,
            "backward",
            right_backward,
            wrong={
                "input": some(shape) + [row for row in shapes if row.error is pynet.ShapeError],
                "grad_output": some(out) + grads,
            },
            variant=variant,
        ),
    ]


linear = partial(in_use, row_of(pynet.Linear))
linear_without_bias = partial(in_use, row_of(pynet.Linear, lambda module: module.b is None))
batch_norm, dropout = partial(in_use, row_of(pynet.BatchNorm)), partial(in_use, row_of(pynet.Dropout))
leaky_relu, flatten = partial(in_use, row_of(pynet.LeakyReLU)), partial(in_use, row_of(pynet.Flatten))
network = partial(in_use, row_of(pynet.Sequential, pynet.Module.parameters))


def array_attributes(make: Any, names: dict[str, str]) -> list[Call]:
    """Arrays of a layer, by the names that messages have for them."""
    rows = []
    for name, shown in names.items():
        shape = getattr(make(), name).shape
        values = (no_numbers(shape) if name == shown == "W" else few(no_numbers(shape))) + arrays_of_shapes(
            *shapes_unlike(shape), says="expected"
        )
        rows.append(attribute(make, name, lambda shape=shape: np.ones(shape), values, shown={name: shown}))
    return rows


CONSTRUCTORS = [
    function(
        "Linear",
        pynet.Linear,
        lambda: {"dim_in": 4, "dim_out": 3, "dtype": "float32", "seed": 1},
        wrong={"dim_in": sizes(), "dim_out": sizes(), "dtype": DTYPES, "seed": SEEDS},
    ),
    function(
        "BatchNorm",
        pynet.BatchNorm,
        lambda: {"num_features": 4, "eps": 1e-5, "momentum": 0.1, "dtype": np.float64},
        wrong={"num_features": sizes(), "eps": AT_LEAST_ZERO, "momentum": SHARE, "dtype": DTYPES},
    ),
    function("Dropout", pynet.Dropout, lambda: {"p": 0.5, "seed": 1}, wrong={"p": FRACTION, "seed": SEEDS}),
    function("LeakyReLU", pynet.LeakyReLU, lambda: {"slope": 0.5}, wrong={"slope": FINITE}),
    function(
        "Flatten",
        pynet.Flatten,
        lambda: {"start_dim": 1, "end_dim": 2},
        wrong={"start_dim": NO_INT + NONE, "end_dim": NO_INT + NONE},
    ),
    function(
        "Sequential",
        lambda layer: pynet.Sequential(pynet.ReLU(), layer),
        lambda: {"layer": pynet.Tanh()},
        wrong={"layer": NO_MODULE},
        shown={"layer": "layer 1"},
    ),
    method(network, "append", lambda: {"layer": pynet.Tanh()}, wrong={"layer": NO_MODULE}, owner="Container"),
]

ATTRIBUTES = [
    attribute(dropout, "p", lambda: 0.5, FRACTION),
    attribute(leaky_relu, "slope", lambda: 0.5, FINITE),
    attribute(batch_norm, "eps", lambda: 0.5, AT_LEAST_ZERO),
    attribute(batch_norm, "momentum", lambda: 0.5, SHARE),
    attribute(batch_norm, "num_batches_tracked", lambda: 5, sizes()),
    attribute(flatten, "start_dim", lambda: 1, NO_INT + NONE),
    attribute(flatten, "end_dim", lambda: 1, NO_INT + NONE),
    *array_attributes(linear, {"W": "W", "b": "b", "grad_W": "grad_W", "grad_b": "grad_b"}),
    *array_attributes(linear, {"weight": "W", "bias": "b", "grad_weight": "grad_W", "grad_bias": "grad_b"}),
    *array_attributes(
        batch_norm,
        {name: name for name in ("weight", "bias", "grad_weight", "grad_bias", "running_mean", "running_var")},
    ),
    attribute(
        linear_without_bias,
        "b",
        lambda: np.ones(3),
        made(ValueError, "has no b", an_array=lambda: np.ones(3)),
        variant="of none",
    )._replace(run=lambda subject, b: setattr(subject, "b", b) if b is not None else None, right=lambda: {"b": None}),
]


def changed(name: str, value: Any) -> Any:
    """A state of `network` with one entry replaced."""
    return network().state_dict() | {name: value}


def without(name: str) -> Any:
    """A state of `network` without one entry."""
    return {key: value for key, value in network().state_dict().items() if key != name}


COUNT = "1.num_batches_tracked"
WRONG_STATES = [
    *made(
        TypeError,
        "0.weight must be an array of",
        complex=lambda: changed("0.weight", np.ones((6, 4), complex)),
        weight_none=lambda: changed("0.weight", None),
        weight_text=lambda: changed("0.weight", "text"),
        objects=lambda: changed("0.weight", np.ones((6, 4), object)),
        ragged=lambda: changed("0.weight", [[1.0], [1.0, 2.0]]),
    ),
    *made(TypeError, "masked", masked=lambda: changed("0.weight", np.ma.masked_array(np.ones((6, 4))))),
    *made(
        pynet.ShapeError,
        r"0.weight has shape .*, expected \(6, 4\)",
        transposed=lambda: changed("0.weight", np.ones((4, 6))),
        weight_number=lambda: changed("0.weight", 1.0),
        row=lambda: changed("0.weight", np.ones((1, 4))),
        flat=lambda: changed("0.weight", np.ones(24)),
        weight_empty=lambda: changed("0.weight", np.ones((0, 4))),
    ),
    *made(pynet.ShapeError, r"2.1.bias has shape \(4,\), expected \(3,\)", last=lambda: changed("2.1.bias", [1.0] * 4)),
    *made(
        ValueError,
        f"{COUNT} must hold whole numbers",
        half=lambda: changed(COUNT, 1.5),
        nan=lambda: changed(COUNT, nan),
        inf=lambda: changed(COUNT, np.inf),
        beyond_int64=lambda: changed(COUNT, 1e300),
        beyond_int64_in_uint64=lambda: changed(COUNT, np.uint64(2**64 - 1)),
        two_to_the_63=lambda: changed(COUNT, 2.0**63),
    ),
]
NAMES_THAT_DO_NOT_FIT = made(
    ValueError,
    r"missing \[.*unexpected \[",
    missing=lambda: without("0.weight"),
    unexpected=lambda: changed("3.weight", np.ones(2)),
    empty=dict,
    number_as_name=lambda: changed(5, np.ones(2)),  # type: ignore[arg-type]
)


def load(strict: bool) -> Call:
    values = NO_MAPPING + WRONG_STATES + (NAMES_THAT_DO_NOT_FIT if strict else [])
    return method(
        network,
        "load_state_dict",
        lambda: {"state": network().state_dict(), "strict": strict},
        wrong={"state": values},
        owner="Module",
        variant=f"strict={strict}",
    )


METHODS = [
    method(linear, "__call__", lambda: {"input": np.ones((5, 4))}, wrong={"input": few(NO_NUMBERS)}, owner="Module"),
    load(strict=True),
    load(strict=False),
    method(network, "astype", lambda: {"dtype": np.float32}, wrong={"dtype": DTYPES + NONE}, owner="Module"),
    method(
        network,
        "train",
        lambda: {"mode": False},
        wrong={"mode": made(ValueError, "ambiguous", array=lambda: np.ones(2))},
        owner="Module",
    ),
    attribute(
        linear,
        "frozen",
        lambda: True,
        made(ValueError, "ambiguous", array=lambda: np.ones(2)),
        owner="Module",
    ),
    *(
        method(
            linear,
            f"register_{direction}_hook",
            lambda: {"hook": print},
            wrong={"hook": wrong(TypeError, "hook must be a function, got", none=None, number=5, text="print")},
            owner="Module",
        )
        for direction in ("forward", "backward")
    ),
    *(
        method(
            make,
            "flops",
            lambda: {"input_shape": (5, 4)},
            wrong={"input_shape": wrong(TypeError, "", none=None, number=5)},
            owner=owner,
        )
        for make, owner in ((linear, "Linear"), (batch_norm, "BatchNorm"), (dropout, "Dropout"), (leaky_relu, "Module"))
    ),
]


CALLS = [call for case in MODULES for call in calls_of(case)] + CONSTRUCTORS + ATTRIBUTES + METHODS

__all__ = ["CALLS"]
