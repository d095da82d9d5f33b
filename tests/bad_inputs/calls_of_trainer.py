"""The Trainer under wrong arguments."""

from functools import partial
from typing import Any

import numpy as np
from calls_of_compiled import LABELS, WRONG_PARTS, X, model, parts
from wrong_calls import function, method
from wrong_values import NO_NUMBERS, NO_PATH, SEEDS, Wrong, arrays_of_shapes, few, made, nan, sizes, without_none, wrong

import pynet


def trainer(metrics: Any = ()) -> Any:
    """A Trainer that has trained for an epoch."""
    whole = model()
    found = pynet.Trainer(whole, pynet.CrossEntropyLoss(), pynet.optim.Adam(whole, 0.1), metrics=metrics)
    found.fit(np.repeat(X, 4, axis=0), np.repeat(LABELS, 4), 1, 8)
    return found


def rows(name: str) -> Any:
    return {"X": np.repeat(X, 4, axis=0), "y": np.repeat(LABELS, 4)}[name]


def right_fit() -> dict[str, Any]:
    return {"X": rows("X"), "y": rows("y"), "epochs": 1, "batch_size": 8}


def renamed(values: list[Wrong], name: str) -> list[Wrong]:
    """The same with another pattern for the name."""
    return [row._replace(says=row.says.replace("{}", name)) for row in values]


OTHER_X = [
    *made(pynet.ShapeError, "{} has no axes", no_axes=lambda: np.float64(1), number=lambda: 5),
    *made(pynet.ShapeError, "same number of rows", fewer=lambda: rows("X")[:-1], none_of_them=lambda: rows("X")[:0]),
    *made(pynet.ShapeError, "3 features, expected 4", narrow=lambda: rows("X")[:, :3]),
    *made(pynet.ShapeError, "expected at least 2 axes", flat=lambda: np.ones(20)),
]
OTHER_Y = [
    *made(pynet.ShapeError, "{} has no axes", no_axes=lambda: np.int64(1), number=lambda: 5),
    *made(pynet.ShapeError, "same number of rows", fewer=lambda: rows("y")[:-1], more=lambda: np.ones(21, int)),
    *made(
        ValueError,
        "{} has label .* in row 7, expected 0 to 2",
        minus_one=lambda: np.where(np.arange(20) == 7, -1, 0),
        classes=lambda: np.where(np.arange(20) == 7, 3, 0),
        huge=lambda: np.where(np.arange(20) == 7, 2**62, 0),
    ),
    *made(
        pynet.ShapeError,
        "target has shape",
        columns=lambda: np.ones((20, 4)),
        one_column=lambda: np.ones((20, 1)),
        three_axes=lambda: np.ones((20, 3, 1)),
        floats=lambda: np.ones(20),
    ),
]
SPLITS = [
    *wrong(TypeError, "{} must be a number", text="0.2", true=True, list=[0.2], array=np.array([0.2])),
    *wrong(ValueError, "{} must be a share between 0 and 1, got", zero=0.0, one=1, above=1.5, negative=-0.1, nan=nan),
    *wrong(ValueError, "{} 0.99 of 20 rows leaves none", too_much=0.99),
]
PAIRS = [
    *wrong(TypeError, r"{} must be \(X, y\) or", number=5, text="ab", four=(1, 2, 3, 4), one=(1,), dict={1: 2, 3: 4}),
    *made(TypeError, r"{} must be \(X, y\) or", array=lambda: np.ones((2, 4))),
    *made(TypeError, "X_val must be an array", nones=lambda: (None, None), first_text=lambda: ("ab", [1, 2])),
    *made(TypeError, "y_val must be an array", second_none=lambda: (X, None), second_dict=lambda: (X, {})),
    *made(pynet.ShapeError, "same number of rows: X_val has 5, y_val has 4", fewer=lambda: (X, LABELS[:4])),
    *made(pynet.ShapeError, "3 features, expected 4", narrow=lambda: (X[:, :3], LABELS)),
    *made(ValueError, "X_val has no rows", empty=lambda: (X[:0], LABELS[:0])),
    *made(ValueError, "y_val has label 3 in row 1", label=lambda: (X, [0, 3, 0, 0, 0])),
]
OTHER_WEIGHTS = [
    *arrays_of_shapes((), (19,), (21,), (1,), (20, 1), (1, 20), (0,), says="expected"),
    *made(
        ValueError,
        "{} must be finite and not negative, got .* in row 7",
        negative=lambda: np.where(np.arange(20) == 7, -1.0, 1),
        nan=lambda: np.where(np.arange(20) == 7, nan, 1),
        inf=lambda: np.where(np.arange(20) == 7, np.inf, 1),
    ),
    *made(ValueError, "weights .*must not all be 0", zeros=lambda: np.zeros(20)),
]
CLASS_WEIGHTS = [
    *wrong(TypeError, "{} must be 'balanced' or a dict", number=5, text="even", list=[1.0, 2.0], array=np.ones(3)),
    *wrong(TypeError, "{}.* must be a number", value_text={0: "a"}, value_none={0: None}, value_list={0: [1.0]}),
    *wrong(ValueError, "{} must hold finite numbers", negative={0: -1.0}, nan={0: nan}, inf={1: np.inf}),
    *wrong(ValueError, "{} has the label", unknown={7: 1.0}, name={"cat": 1.0}),
    *wrong(ValueError, "weights .*must not all be 0", zeros={0: 0.0, 1: 0.0, 2: 0.0}),
]
METRICS = [
    *wrong(ValueError, "metric must be one of", unknown="speed", in_list=["speed"], top_0="top_x"),
    *wrong(TypeError, "metrics? must be a", none=None, number=5, numbers=[5], a_class=[pynet.metrics.R2]),
    *wrong(ValueError, "metrics must have different names", twice=["mae", "mae"]),
    *wrong(ValueError, "k must be from 1", top_none="top_0_accuracy"),
]
CALLBACKS = [
    *wrong(TypeError, "callbacks must be", none=None, number=5, text="early", numbers=[5], nones=[None]),
    *wrong(TypeError, r"callbacks must be .*write EarlyStopping\(\)", a_class=[pynet.callbacks.EarlyStopping]),
]
OUT = [
    *wrong(TypeError, "{} must be an array", number=5, text="out", list=[1.0]),
    *made(
        TypeError,
        "{} must hold float64, got",
        ints=lambda: np.zeros((20, 3), int),
        texts=lambda: np.zeros((20, 3), "S8"),
    ),
    *arrays_of_shapes((20,), (20, 4), (19, 3), (20, 3, 1), (), says="expected"),
    *made(ValueError, "{} is read-only", read_only=lambda: np.broadcast_to(0.0, (20, 3))),
]

CALLS = [
    function(
        "Trainer",
        pynet.Trainer,
        lambda: parts() | {"callbacks": [], "metrics": []},
        wrong=WRONG_PARTS | {"metrics": METRICS, "callbacks": CALLBACKS},
    ),
    method(
        trainer,
        "fit",
        lambda: right_fit() | {"seed": 1},
        wrong={
            "X": NO_NUMBERS + OTHER_X,
            "y": NO_NUMBERS + OTHER_Y,
            "epochs": sizes(),
            "batch_size": sizes(1),
            "validation_data": PAIRS,
            "validation_split": SPLITS,
            "sample_weight": without_none(NO_NUMBERS) + OTHER_WEIGHTS,
            "class_weight": CLASS_WEIGHTS,
            "seed": SEEDS,
            "resume": [
                *without_none(NO_PATH),
                *wrong(ValueError, "path must end in", ending="run.txt"),
                *wrong(FileNotFoundError, "nowhere", missing="/nowhere/run.npz"),
            ],
        },
    ),
    method(
        partial(trainer, "accuracy"),
        "fit",
        lambda: right_fit() | {"validation_split": 0.2},
        wrong={"y": few(NO_NUMBERS) + OTHER_Y, "sample_weight": few(NO_NUMBERS[1:]) + OTHER_WEIGHTS},
        variant="metrics, split by NumPy's generator",
    ),
    method(
        trainer,
        "fit",
        lambda: right_fit() | {"validation_split": 0.2},
        wrong={"validation_data": made(ValueError, "not both", both=lambda: (X, LABELS))},
        variant="both validations",
    ),
    method(
        trainer,
        "evaluate",
        lambda: {"X": rows("X"), "y": rows("y"), "batch_size": 8},
        wrong={"X": few(NO_NUMBERS) + OTHER_X, "y": few(NO_NUMBERS) + OTHER_Y, "batch_size": sizes(1)},
    ),
    method(
        trainer,
        "predict",
        lambda: {"X": rows("X"), "batch_size": 8},
        wrong={
            "X": few(NO_NUMBERS) + [row for row in OTHER_X if row.says != "same number of rows"],
            "batch_size": sizes(1),
            "out": OUT,
        },
        may_change=("._kept", ".output"),
    ),
    method(
        trainer,
        "save_checkpoint",
        lambda: {"path": "run.npz"},
        wrong={"path": wrong(pynet.StateError, "there is no run to save", no_run="run.npz", none=None)},
    )
    ._replace(run=lambda subject, path: subject.save_checkpoint(path) if subject._run or path != "x" else None)
    ._replace(right=lambda: {"path": "x"}),
]
