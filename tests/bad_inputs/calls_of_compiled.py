"""Compiled steps and predictions under wrong arguments."""

from functools import partial
from typing import Any

import numpy as np
from calls_of_criteria import WRONG_LABELS
from calls_of_layers import network
from wrong_calls import Call, attribute, function, method
from wrong_values import (
    NO_MODULE,
    NO_NUMBERS,
    POSITIVE,
    Wrong,
    arrays_of_shapes,
    few,
    made,
    no_numbers,
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

WEIGHTS = [
    *few(without_none(NO_NUMBERS)),
    *arrays_of_shapes((), (4,), (6,), (1,), (5, 1), says=r"expected \(5,\): one for each row"),
    *made(
        ValueError,
        "{} must be finite and not negative, got .* in row 3",
        minus=lambda: [1.0, 1.0, 1.0, -1.0, 1.0],
        nans=lambda: np.where(np.arange(5) == 3, np.nan, 1),
    ),
]

CALLS = [
    *(
        called(
            made_once, "CompiledStep", lambda: right_batch() | {"weight": np.ones(5)}, {"weight": WEIGHTS}, variant
        )._replace(may_change=("._plan",))
        for made_once, variant in ((step, "weights, compiled"), (partial(step, Twice()), "weights, module by module"))
    ),
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
CALLS.append(function("compile_step", pynet.compile_step, parts, wrong=WRONG_PARTS))


def learner() -> Any:
    """A learner that has learned."""
    np.random.seed(0)
    whole = pynet.Sequential(pynet.Linear(4, 6), pynet.ReLU(), pynet.Linear(6, 3))
    learned = pynet.OnlineLearner(whole, pynet.CrossEntropyLoss(), pynet.optim.SGD(whole, 0.1, momentum=0.9))
    learned.learn_one(X[0], 1)
    learned.predict_one(X[0])
    return learned


NO_SAMPLE = no_numbers((4,)) + [
    Wrong(f"shape{shape}", lambda shape=shape: np.ones(shape), pynet.ShapeError, "input has .*expected")
    for shape in ((), (3,), (5,), (0,))
]
NO_TARGET = [
    *without_none(no_numbers(())),
    *wrong(TypeError, "{} must be", none=None),
    *wrong(ValueError, "expected", minus_one=-1, too_large=3),
    *made(pynet.ShapeError, "target has shape", two=lambda: np.array([0, 1]), nothing=lambda: np.zeros(0, int)),
]
CALLS += [
    function("OnlineLearner", pynet.OnlineLearner, parts, wrong={k: WRONG_PARTS[k] for k in parts()}),
    method(learner, "learn_one", lambda: {"x": X[1].copy(), "y": 2}, wrong={"x": NO_SAMPLE, "y": NO_TARGET}),
    method(learner, "predict_one", lambda: {"x": X[1].copy()}, wrong={"x": NO_SAMPLE}),
]
