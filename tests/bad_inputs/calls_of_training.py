"""Compiled steps, predictions, the Trainer and its callbacks under wrong arguments."""

import importlib.util
from functools import partial
from typing import Any

import numpy as np
from calls_of_criteria import WRONG_LABELS
from calls_of_layers import network
from wrong_calls import Call, attribute, function, method
from wrong_values import (
    AT_LEAST_ZERO,
    NO_MAPPING,
    NO_MODULE,
    NO_NUMBERS,
    NO_PATH,
    POSITIVE,
    SEEDS,
    SHARE,
    Wrong,
    arrays_of_shapes,
    few,
    made,
    nan,
    shapes_unlike,
    sizes,
    without_none,
    wrong,
)

import pynet

LABELS = np.array([0, 1, 2, 2, 0])
X = np.linspace(-1, 1, 20).reshape(5, 4)


def model() -> Any:
    """A network whose every kind of state moves in a step."""
    np.random.seed(0)
    return pynet.Sequential(
        pynet.Linear(4, 6), pynet.BatchNorm(6), pynet.ReLU(), pynet.Dropout(0.3), pynet.Linear(6, 3)
    )


class Twice(pynet.Module):
    """A layer of a user."""

    def forward(self, input):
        return 2 * np.asarray(input)

    def backward(self, input, grad_output):
        return 2 * grad_output


def step(*more: Any) -> Any:
    """A step that has been made."""
    whole = model()
    whole.layers += more
    made_once = pynet.compile_step(whole, pynet.CrossEntropyLoss(), pynet.optim.SGD(whole, 0.1, momentum=0.9))
    made_once(X, LABELS)
    return made_once


def prediction(**options: Any) -> Any:
    """A prediction that has been asked for."""
    predict = pynet.compile_predict(model(), **options)
    predict(X)
    return predict


NO_FEATURES = arrays_of_shapes(
    *(s for s in shapes_unlike((5, 4)) if len(s) < 2 or s[-1] != 4), says="expected (at least 2 axes|[0-9]+)"
)
OTHER_ROWS = [
    Wrong(f"{n}_rows", lambda n=n: np.ones((n, 4)), pynet.ShapeError, r"target has shape \(5,\), expected")
    for n in (2, 4, 6, 50)
]
TOO_FEW_ROWS = [
    Wrong("0_rows", lambda: np.ones((0, 4)), ValueError, r"{} has 0 value\(s\) per channel"),
    Wrong("1_row", lambda: np.ones((1, 4)), ValueError, r"{} has 1 value\(s\) per channel"),
]
WRONG_X = NO_NUMBERS + NO_FEATURES + TOO_FEW_ROWS + OTHER_ROWS
WRONG_Y = NO_NUMBERS + WRONG_LABELS


def right_batch() -> dict[str, Any]:
    return {"x": X.copy(), "y": LABELS.copy()}


def called(make: Any, owner: str, right: Any, wrong_values: Any, variant: str) -> Call:
    """An object that is called itself; messages speak of its arguments as layers and criteria do."""
    return Call(
        f"{owner}.__call__",
        make,
        lambda subject, **arguments: subject(**arguments),
        right,
        wrong_values,
        shown={"x": "input", "y": "target"},
        variant=variant,
    )


ORDERS = [
    *without_none(NO_NUMBERS),
    *arrays_of_shapes((), (1, 5), (5, 1), dtype=int),
    *made(TypeError, "{} must be whole numbers", floats=lambda: np.ones(5), bools=lambda: np.ones(5, bool)),
    *made(
        IndexError,
        "{} has row .*there are 5",
        five=lambda: [0, 5],
        minus_six=lambda: [0, -6],
        largest=lambda: [2**63 - 1],
        smallest=lambda: [-(2**63)],
        largest_uint64=lambda: np.array([2**64 - 1], np.uint64),
    ),
]

COMPILED = [
    called(step, "CompiledStep", right_batch, {"x": WRONG_X, "y": WRONG_Y}, "compiled"),
    called(
        partial(step, Twice()), "CompiledStep", right_batch, {"x": few(NO_NUMBERS) + NO_FEATURES}, "module by module"
    )._replace(may_change=("._plan",)),
    called(prediction, "CompiledPredict", lambda: {"x": X}, {"x": NO_NUMBERS + NO_FEATURES}, "live"),
    called(
        partial(prediction, freeze=True),
        "CompiledPredict",
        lambda: {"x": X},
        {"x": few(NO_NUMBERS) + NO_FEATURES},
        "frozen",
    ),
    method(
        step,
        "epoch",
        lambda: {"X": X.copy(), "y": LABELS.copy(), "order": np.arange(5), "batch_size": 2},
        wrong={
            "X": NO_NUMBERS,
            "y": [row._replace(says=row.says.replace("{}", "(y|target)")) for row in few(NO_NUMBERS) + WRONG_LABELS],
            "order": ORDERS,
            "batch_size": sizes(1),
        },
    ),
    method(
        step,
        "epoch",
        lambda: {"X": X.copy(), "y": LABELS.copy()},
        wrong={"X": [row._replace(says="((X|input) .*expected|X has no axes)") for row in NO_FEATURES]},
        variant="shapes",
    ),
    attribute(step, "clip_norm", lambda: 1.0, without_none(POSITIVE)),
    attribute(step, "clip_value", lambda: 1.0, without_none(POSITIVE)),
    function("compile_predict", pynet.compile_predict, lambda: {"model": network()}, wrong={"model": NO_MODULE}),
]

NO_CRITERION = [
    *wrong(TypeError, "criterion must have forward and backward, got", none=None, number=5, text="mse"),
    *wrong(TypeError, r"criterion must have .*write MSE\(\)", a_class=pynet.MSE),
]
WRONG_OPTIMIZER = [
    *wrong(TypeError, r"optimizer must have step\(\), got", none=None, number=0.1, text="sgd"),
    *wrong(TypeError, r"optimizer must have .*write SGD\(model\)", a_class=pynet.optim.SGD),
    *made(ValueError, "optimizer moves another model", of_another=lambda: pynet.optim.SGD(network(), 0.1)),
]
LIMITS = {"clip_norm": without_none(POSITIVE), "clip_value": without_none(POSITIVE)}


def parts() -> Any:
    """A model, a criterion and an optimizer."""
    whole = model()
    return {"model": whole, "criterion": pynet.CrossEntropyLoss(), "optimizer": pynet.optim.SGD(whole, 0.1)}


WRONG_PARTS = {"model": NO_MODULE, "criterion": NO_CRITERION, "optimizer": WRONG_OPTIMIZER} | LIMITS
COMPILED.append(function("compile_step", pynet.compile_step, parts, wrong=WRONG_PARTS))

# ------------------------------------------------------------------------------------------------------- Trainer


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
    *wrong(TypeError, r"{} must be a pair \(X, y\)", number=5, text="ab", three=(1, 2, 3), one=(1,), dict={1: 2, 3: 4}),
    *made(TypeError, r"{} must be a pair \(X, y\)", array=lambda: np.ones((2, 4))),
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
        "{} must be finite and not negative",
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

TRAINER = [
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


def history() -> Any:
    """Figures of three epochs."""
    return pynet.History({"loss": [3.0, 2.0, 1.0], "lr": [0.1, 0.1, 0.1]})


HISTORY = [
    function(
        "History", pynet.History, lambda: {"figures": {"loss": [1.0]}}, wrong={"figures": without_none(NO_MAPPING)}
    ),
    method(
        history,
        "append",
        lambda: {"figures": {"loss": 0.5, "lr": 0.1}},
        wrong={
            "figures": [
                *NO_MAPPING,
                *wrong(
                    TypeError,
                    "lr must be a number",
                    figure_text={"loss": 0.5, "lr": "a"},
                    figure_none={"loss": 0.5, "lr": None},
                ),
            ]
        },
    ),
    method(history, "to_csv", lambda: {"path": "/dev/null"}, wrong={"path": NO_PATH}),
    Call(
        "History.from_csv",
        lambda: None,
        lambda subject, path: pynet.History.from_csv(path) if path != "right" else None,
        lambda: {"path": "right"},
        {
            "path": [
                *NO_PATH,
                *wrong(FileNotFoundError, "nowhere", missing="/nowhere/run.csv"),
                *wrong(pynet.CheckpointError, "is no table of a training run", empty="/dev/null"),
            ]
        },
    ),
]

# ----------------------------------------------------------------------------------------------------- callbacks

MONITORS = wrong(TypeError, "monitor must be the name of a figure, got", number=5, list=["loss"], bytes=b"loss")
MODES = wrong(ValueError, "{} must be one of 'auto', 'min', 'max'", none=None, text="best", number=1)
NONE_MONITOR = wrong(TypeError, "monitor must be the name of a figure, got", none=None)


def schedule() -> Any:
    return pynet.optim.lr_scheduler.StepLR(pynet.optim.SGD(network(), 0.1), 2)


CALLBACK_CLASSES = [
    function(
        "callbacks.EarlyStopping",
        pynet.callbacks.EarlyStopping,
        lambda: {"monitor": "loss", "patience": 3, "min_delta": 0.1, "mode": "min"},
        wrong={
            "monitor": MONITORS + NONE_MONITOR,
            "patience": without_none(sizes()),
            "min_delta": AT_LEAST_ZERO,
            "mode": MODES,
        },
    ),
    function(
        "callbacks.Checkpoint",
        pynet.callbacks.Checkpoint,
        lambda: {"path": "run.npz", "monitor": "loss", "mode": "min", "every": 2},
        wrong={
            "path": [
                *NO_PATH,
                *wrong(ValueError, "{} must end in", ending="run.txt", no_ending="run", empty="", bytes_ending="a.NPZ"),
                *wrong(ValueError, "{} may have", braces="run-{loss}.npz", open="run-{.npz", no_name="run-{}.npz"),
            ],
            "monitor": MONITORS,
            "mode": MODES,
            "every": sizes(1),
        },
    ),
    function("callbacks.CSVLogger", pynet.callbacks.CSVLogger, lambda: {"path": "run.csv"}, wrong={"path": NO_PATH}),
    function(
        "callbacks.WeightAveraging", pynet.callbacks.WeightAveraging, lambda: {"decay": 0.9}, wrong={"decay": SHARE}
    ),
    function(
        "callbacks.LRScheduler",
        pynet.callbacks.LRScheduler,
        lambda: {"schedule": schedule(), "every": "batch", "monitor": "loss"},
        wrong={
            "schedule": [
                *wrong(TypeError, "{} must be one of", none=None, number=5, text="step"),
                *wrong(TypeError, "{} must be one of", a_class=pynet.optim.lr_scheduler.StepLR),
            ],
            "every": wrong(ValueError, "{} must be one of 'epoch', 'batch'", none=None, text="step", number=1),
            "monitor": MONITORS + NONE_MONITOR,
        },
    ),
    Call(
        "callbacks.LRScheduler",
        lambda: pynet.optim.lr_scheduler.ReduceLROnPlateau(schedule().optimizer),
        lambda subject, every: pynet.callbacks.LRScheduler(subject, every),
        lambda: {"every": "epoch"},
        {"every": wrong(ValueError, ": {} must be 'epoch'", batch="batch")},
        variant="plateau",
    ),
]
if importlib.util.find_spec("tqdm"):
    CALLBACK_CLASSES.append(
        function(
            "callbacks.ProgressBar",
            pynet.callbacks.ProgressBar,
            lambda: {"figures": ["loss"]},
            wrong={"figures": wrong(TypeError, "{} must be a list of names", number=5, numbers=[5], true=True)},
        )
    )

CALLS = COMPILED + TRAINER + HISTORY + CALLBACK_CLASSES
