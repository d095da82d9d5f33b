"""Pictures under wrong arguments."""

import numpy as np
from calls_of_compiled import model
from calls_of_inspection import NOT_X
from calls_of_trainer import renamed
from wrong_calls import function
from wrong_values import (
    NO_MODULE,
    NO_NUMBERS,
    arrays_of_shapes,
    few,
    made,
    sizes,
    wrong,
)

import pynet

X = np.linspace(-1, 1, 20).reshape(5, 4)
SCORES = np.linspace(-1, 1, 15).reshape(5, 3) ** 2
LABELS = np.array([0, 1, 2, 2, 0])

CALLS = [
    function(
        "plot.curves",
        lambda **arguments: pynet.plot.curves(**arguments),
        lambda: {"history": {"loss": [1.0, 2.0]}, "names": ["loss"]},
        wrong={
            "history": wrong(TypeError, "{} must be", none=None, number=5, text="loss", list=[1.0]),
            "names": [
                *wrong(ValueError, "history has loss, expected", unknown=["lr"], empty=[], text="accuracy"),
                *wrong(TypeError, "{} must be", number=5, true=True),
            ],
        },
    ),
    function(
        "plot.confusion_matrix",
        lambda **arguments: pynet.plot.confusion_matrix(**arguments),
        lambda: {"predicted": LABELS.copy(), "y": LABELS.copy(), "classes": ["a", "b", "c"]},
        wrong={
            "predicted": [
                *NO_NUMBERS,
                *made(
                    TypeError, "{} must hold integer labels", floats=lambda: np.ones(5), bools=lambda: np.ones(5, bool)
                ),
                *arrays_of_shapes((), (5, 1), (5, 3), dtype=int, says="expected one label"),
                *made(pynet.ShapeError, "{} has .* labels, expected 5", fewer=lambda: LABELS[:4]),
                *made(ValueError, "{} is empty", empty=lambda: LABELS[:0]),
                *made(ValueError, "{} has a label -1", negative=lambda: LABELS - 1),
                *made(ValueError, "only 3 classes are named", more=lambda: LABELS + 1, huge=lambda: LABELS + 2**60),
            ],
            "y": NO_NUMBERS,
            "classes": wrong(TypeError, "{} must be", number=5, true=True),
        },
    ),
    function(
        "plot.weights",
        lambda **arguments: pynet.plot.weights(**arguments),
        lambda: {"layer": pynet.Linear(4, 3), "shape": (2, 2), "count": 3},
        wrong={
            "layer": wrong(TypeError, "has no layer with a matrix W", none=None, number=5, relu=pynet.ReLU()),
            "shape": [
                *wrong(ValueError, "{} .*expected 4", large=(2, 3), flat=(5, 1)),
                *wrong(ValueError, "{} must be from 1", zero=(0, 4), negative=(-2, -2)),
                *wrong(TypeError, "{} must be", floats=(2.0, 2.0), number=4, text="ab", one=(4,), three=(2, 2, 1)),
            ],
            "count": sizes(1),
        },
    ),
    function(
        "plot.activations",
        lambda **arguments: pynet.plot.activations(**arguments),
        lambda: {"model": model(), "x": X.copy()},
        wrong={"model": NO_MODULE, "x": few(NO_NUMBERS) + renamed(NOT_X, "input")},
    ),
]
CALLS = [call._replace(needs="matplotlib") for call in CALLS]
