"""Metrics under wrong arguments."""

from typing import Any

import numpy as np
from calls_of_trainer import renamed
from wrong_calls import Call, function, method
from wrong_values import (
    NO_NUMBERS,
    arrays_of_shapes,
    few,
    made,
    nan,
    no_numbers,
    shapes_unlike,
    sizes,
    without_none,
    wrong,
)

import pynet
from pynet import metrics

X = np.linspace(-1, 1, 20).reshape(5, 4)
SCORES = np.linspace(-1, 1, 15).reshape(5, 3) ** 2
LABELS = np.array([0, 1, 2, 2, 0])

NO_LABELS = [
    *made(
        ValueError,
        "target must hold whole numbers.*row 1",
        half=lambda: [0, 1.5, 2, 2, 0],
        nan=lambda: [0, nan, 2, 2, 0],
    ),
    *made(
        ValueError,
        "target must hold whole numbers.*row 1",
        inf=lambda: [0, np.inf, 2, 2, 0],
        huge=lambda: [0, 1e300, 2, 2, 0],
    ),
]
OF_NO_CLASS = made(
    ValueError,
    "target has label .* in row 1, expected 0 to 2",
    minus_one=lambda: [0, -1, 2, 2, 0],
    three=lambda: [0, 3, 2, 2, 0],
    very_huge=lambda: [0, 2**62, 2, 2, 0],
)
NOT_LABELS_OF = arrays_of_shapes((), (4,), (6,), (1,), (5, 2), (5, 4), (3, 5), (1, 5), (5, 3, 1), dtype=int)
FLAT_OUTPUT = arrays_of_shapes((), (5,), (15,), says=r"expected \(N, ..., classes\)")
OTHER_OUTPUT = renamed(arrays_of_shapes((4, 3), (6, 3), (1, 3), (5, 2, 3), says=""), "(?:output|target)")
OTHER_OUTPUT = [row._replace(says="target has shape") for row in OTHER_OUTPUT]


def in_use(metric: Any, target: Any) -> Any:
    """A metric that has been given a batch."""
    metric.update(SCORES, target)
    return metric


def of_classes(name: str, called: Any, more: Any) -> Call:
    return function(
        name,
        called,
        lambda: {"output": SCORES.copy(), "target": LABELS.copy()},
        wrong={
            "output": few(no_numbers((5, 3))) + FLAT_OUTPUT + OTHER_OUTPUT,
            "target": few(no_numbers((5,))) + NOT_LABELS_OF + NO_LABELS + more,
        },
    )


def of_numbers(name: str, called: Any) -> Call:
    unlike = [row._replace(says="target has shape") for row in arrays_of_shapes(*shapes_unlike((5, 3)))]
    return function(
        name,
        called,
        lambda: {"output": SCORES.copy(), "target": SCORES.copy()},
        wrong={"output": few(no_numbers((5, 3))) + unlike, "target": few(no_numbers((5, 3))) + unlike},
    )


def methods_of_metric(make: Any, target: Any) -> list[Call]:
    """A metric that has seen a batch is shown another, or one alone."""
    return [
        method(
            lambda: in_use(make(), target),
            name,
            lambda: {"output": SCORES.copy(), "target": target.copy()},
            wrong={"output": few(NO_NUMBERS) + OTHER_OUTPUT, "target": few(NO_NUMBERS)},
            **owner,
        )
        for name, owner in (("update", {}), ("of", {"owner": "Metric", "variant": type(make()).__name__}))
    ]


CALLS = [
    of_classes("metrics.accuracy", metrics.accuracy, []),
    of_classes("metrics.top_k_accuracy", metrics.top_k_accuracy, OF_NO_CLASS),
    of_numbers("metrics.mean_absolute_error", metrics.mean_absolute_error),
    of_numbers("metrics.r2_score", metrics.r2_score),
    *methods_of_metric(metrics.Accuracy, LABELS),
    *methods_of_metric(metrics.TopK, LABELS),
    *methods_of_metric(metrics.MeanAbsoluteError, SCORES),
    *methods_of_metric(metrics.R2, SCORES),
    function("metrics.TopK", metrics.TopK, lambda: {"k": 2}, wrong={"k": sizes(1)}),
    function(
        "metrics.top_k_accuracy",
        lambda k: metrics.top_k_accuracy(SCORES, LABELS, k),
        lambda: {"k": 2},
        wrong={"k": sizes(1)},
        variant="k",
    ),
    function(
        "metrics.confusion_matrix",
        metrics.confusion_matrix,
        lambda: {"predicted": LABELS.copy(), "target": LABELS.copy(), "classes": 3},
        wrong={
            "predicted": [
                *NO_NUMBERS,
                *arrays_of_shapes((), (4,), (6,), (5, 1), (1, 5, 3), dtype=int, says="(rows|must be integer labels)"),
                *made(
                    pynet.ShapeError,
                    "{} must be integer labels",
                    floats=lambda: np.ones(5),
                    bools=lambda: np.ones(5, bool),
                ),
                *made(
                    ValueError,
                    "labels must be from 0 to 2",
                    minus=lambda: [0, -1, 0, 0, 0],
                    three=lambda: [3, 0, 0, 0, 0],
                ),
                *made(ValueError, "labels must be from 0 to 2", huge=lambda: [0, 2**62, 0, 0, 0]),
                *made(ValueError, "labels must be from 0 to 2", uint64=lambda: np.full(5, 2**64 - 1, np.uint64)),
            ],
            "target": few(NO_NUMBERS),
            "classes": without_none(sizes()),
        },
    ),
    function(
        "metrics.confusion_matrix",
        metrics.confusion_matrix,
        lambda: {"predicted": LABELS.copy(), "target": LABELS.copy()},
        wrong={
            "target": made(
                ValueError, "label", huge=lambda: [0, 2**40, 0, 0, 0], uint64=lambda: np.full(5, 2**64 - 1, np.uint64)
            )
        },
        variant="classes from the labels",
    ),
    function(
        "metrics.as_metrics",
        metrics.as_metrics,
        lambda: {"metrics": ["mae"]},
        wrong={"metrics": wrong(TypeError, "metric", none=None, number=5)},
    ),
]
