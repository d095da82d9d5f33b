"""Inspection, gradient checks and settings under wrong arguments."""

from functools import partial
from typing import Any

import numpy as np
from calls_of_compiled import model
from calls_of_trainer import renamed
from wrong_calls import function
from wrong_values import (
    DTYPES,
    NO_MODULE,
    NO_NUMBERS,
    NONE,
    arrays_of_shapes,
    few,
    made,
    shapes_unlike,
    sizes,
    without_none,
    wrong,
)

import pynet

X = np.linspace(-1, 1, 20).reshape(5, 4)
SCORES = np.linspace(-1, 1, 15).reshape(5, 3) ** 2
LABELS = np.array([0, 1, 2, 2, 0])

INPUT_SHAPES = [
    *wrong(
        TypeError,
        "{} must be",
        none=None,
        text="ab",
        float=3.5,
        true=True,
        dict={"a": 1},
        floats=(3.0, 4),
        nones=(None,),
    ),
    *wrong(ValueError, "{} must be from", negative=-1, negative_one=(3, -1), huge=2**31, huge_one=(3, 2**40)),
    *wrong(pynet.ShapeError, "expected", narrow=(5, 3), flat=(4,), empty=()),
]
NOT_X = arrays_of_shapes(
    *(s for s in shapes_unlike((5, 4)) if len(s) < 2 or s[-1] != 4), says="expected (at least 2 axes|[0-9]+)"
)
NOT_GRAD = arrays_of_shapes(*shapes_unlike((5, 3)), says="(has shape|features, expected|expected at least 2 axes)")


def _itself(value: Any) -> Any:
    return value


def captured(model: Any) -> None:
    with pynet.capture(model):
        pass


CALLS = [
    function(
        "summary",
        pynet.summary,
        lambda: {"model": model(), "input_shape": (5, 4), "dtype": np.float32},
        wrong={
            "model": NO_MODULE,
            "input_shape": INPUT_SHAPES,
            "dtype": wrong(TypeError, "", text="nonsense", number=5, complex=complex, object=object),
        },
    ),
    function(
        "profile",
        pynet.profile,
        lambda: {"model": model(), "x": X.copy(), "grad_output": np.ones((5, 3)), "repeats": 1},
        wrong={
            "model": NO_MODULE,
            "x": few(NO_NUMBERS) + renamed(NOT_X, "input"),
            "grad_output": few(NO_NUMBERS[1:]) + NOT_GRAD,
            "repeats": without_none(sizes(1)),
        },
    ),
    function(
        "trace_nan",
        pynet.trace_nan,
        lambda: {"model": model(), "x": X.copy(), "grad_output": np.ones((5, 3))},
        wrong={
            "model": NO_MODULE,
            "x": few(NO_NUMBERS) + renamed(NOT_X, "input"),
            "grad_output": few(NO_NUMBERS[1:]) + NOT_GRAD,
        },
    ),
    function("capture", captured, lambda: {"model": model()}, wrong={"model": NO_MODULE}),
    function(
        "testing.gradcheck",
        pynet.testing.gradcheck,
        lambda: {"module": pynet.Linear(2, 1), "input": np.ones((2, 2))},
        wrong={
            "module": [row for row in NO_MODULE if row.name != "criterion"],
            "input": NO_NUMBERS + arrays_of_shapes((), (2,), (2, 3), (2, 0), says="expected"),
            "target": made(TypeError, "is a module", given=lambda: np.ones(2)),
        },
    ),
    function(
        "testing.gradcheck",
        pynet.testing.gradcheck,
        lambda: {"module": pynet.MSE(), "input": np.ones((2, 2)), "target": np.zeros((2, 2))},
        wrong={
            "input": NO_NUMBERS,
            "target": without_none(NO_NUMBERS)
            + wrong(TypeError, "is a criterion", none=None)
            + arrays_of_shapes((2,), (2, 1), (4,), (), says="expected"),
        },
        variant="criterion",
    ),
    function(
        "testing.check_module",
        pynet.testing.check_module,
        lambda: {"make": pynet.ReLU, "input_shape": (2, 3)},
        wrong={
            "make": [
                *wrong(TypeError, "make must be a callable", none=None, number=5, text="ReLU", a_module=pynet.ReLU()),
                *wrong(TypeError, "make must return a module", of_none=lambda: None, of_texts=str),
                *made(ValueError, "make must return a new ReLU", the_same=lambda: partial(_itself, pynet.ReLU())),
            ],
            "input_shape": [
                *wrong(TypeError, "input_shape must be", none=None, number=5, text="ab", floats=(3.0, 4)),
                *wrong(ValueError, "input_shape must be from", negative=(3, -1), huge=(3, 2**40)),
            ],
        },
    ),
]

CALLS += [
    function("set_num_threads", pynet.set_num_threads, lambda: {"count": 2}, wrong={"count": sizes(1)}),
    function(
        "set_default_dtype", pynet.set_default_dtype, lambda: {"dtype": "float64"}, wrong={"dtype": DTYPES + NONE}
    ),
]
