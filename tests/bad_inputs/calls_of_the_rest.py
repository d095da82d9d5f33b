"""Data, metrics, inspection, files, settings and pictures under wrong arguments."""

import importlib.util
import os
import tempfile
from typing import Any

import numpy as np
from calls_of_layers import network
from calls_of_training import model, renamed
from wrong_calls import Call, function, method
from wrong_values import (
    DTYPES,
    NO_MODULE,
    NO_NUMBERS,
    NO_PATH,
    NONE,
    SEEDS,
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
from pynet import data, metrics

X = np.linspace(-1, 1, 20).reshape(5, 4)
SCORES = np.linspace(-1, 1, 15).reshape(5, 3) ** 2
LABELS = np.array([0, 1, 2, 2, 0])

# ---------------------------------------------------------------------------------------------------------- data

NO_ROWS = [
    *wrong(
        TypeError, "{} must be an array", none=None, dict={}, function=len, object=object(), text="abcde", complex=1j
    ),
    *made(
        TypeError, "{} must be an array", generator=lambda: (x for x in range(5)), ragged=lambda: [[1.0], [1.0, 2.0]]
    ),
    *made(pynet.ShapeError, "{} has no axes", number=lambda: 5, no_axes=lambda: np.float64(1)),
    *made(pynet.ShapeError, "same number of rows: .*6", more=lambda: np.ones((6, 4)), lists=lambda: [1, 2, 3, 4, 5, 6]),
]
TEST_SIZES = [
    *wrong(TypeError, "{} must be a share", none=None, text="0.2", true=True, list=[0.2], array=np.array([2])),
    *wrong(ValueError, "{} .* leaves a part of 8 rows empty", zero=0, all=8, more=9, negative=-1, share_of_zero=0.0),
    *wrong(
        ValueError,
        "{} .* leaves a part of 8 rows empty",
        one=1.0,
        above=1.5,
        nan=nan,
        inf=np.inf,
        tiny=-0.1,
        huge=2**70,
    ),
]
CLASSES = np.array([0, 0, 1, 1, 2, 2, 0, 1])
NAMED_LABELS = [
    *without_none(NO_NUMBERS),
    *made(TypeError, "{} must be integers", floats=lambda: np.ones(5), bools=lambda: np.ones(5, bool), empty=list),
    *wrong(TypeError, "{} must be", none=None),
    *arrays_of_shapes((), (5, 1), (1, 5), dtype=int, says="expected one axis"),
    *made(
        ValueError,
        "{} has .* in row 2, expected 0 to 2",
        minus_one=lambda: [0, 1, -1, 2, 0],
        three=lambda: [0, 1, 3, 2, 0],
        smallest=lambda: [0, 1, -(2**63), 2, 0],
        largest=lambda: [0, 1, 2**63 - 1, 2, 0],
        largest_uint64=lambda: np.array([0, 1, 2**64 - 1], np.uint64),
    ),
]

DATA = [
    function(
        "data.DataLoader",
        data.DataLoader,
        lambda: {"X": X.copy(), "y": LABELS.copy(), "batch_size": 2, "seed": 1},
        wrong={"X": NO_ROWS, "y": NO_ROWS, "batch_size": sizes(1), "seed": SEEDS},
    ),
    function(
        "data.one_hot",
        data.one_hot,
        lambda: {"labels": LABELS.copy(), "classes": 3, "dtype": "float32"},
        wrong={"labels": NAMED_LABELS, "classes": without_none(sizes()), "dtype": DTYPES},
    ),
    function(
        "data.one_hot",
        data.one_hot,
        lambda: {"labels": LABELS.copy()},
        wrong={"labels": made(ValueError, "labels has .*in row 1", huge=lambda: [0, 2**60], minus=lambda: [0, -1])},
        variant="classes from the labels",
    ),
    Call(
        "data.train_test_split",
        lambda: None,
        lambda subject, first=None, second=None, **options: data.train_test_split(first, second, **options),
        lambda: {"first": np.ones((5, 4)), "second": LABELS.copy(), "test_size": 2},
        {"first": NO_ROWS, "second": NO_ROWS},
        shown={"first": "array 0", "second": "array 1"},
    ),
    function(
        "data.train_test_split",
        lambda **options: data.train_test_split(np.ones((8, 2)), **options),
        lambda: {"test_size": 3, "seed": 1, "stratify": CLASSES.copy()},
        wrong={
            "test_size": TEST_SIZES + wrong(ValueError, "a part has fewer rows than there are classes", two=2, six=6),
            "seed": SEEDS,
            "stratify": [
                *made(TypeError, "{} must be an array", dict=dict, generator=lambda: (x for x in range(8))),
                *made(pynet.ShapeError, "{} has", number=lambda: 5, fewer=lambda: CLASSES[:7]),
                *made(ValueError, "{} must have one axis", columns=lambda: np.ones((8, 2))),
                *made(ValueError, "{}: class .* has one row", alone=lambda: [0, 0, 0, 0, 0, 0, 0, 1]),
            ],
        },
    ),
    function(
        "data.train_test_split",
        lambda **options: data.train_test_split(np.ones((8, 2)), stratify=CLASSES, test_size=3, **options),
        lambda: {"shuffle": True},
        wrong={"shuffle": wrong(ValueError, "stratify needs shuffle=True", false=False)},
        variant="stratify without shuffle",
    ),
    Call(
        "data.train_test_split",
        lambda: None,
        lambda subject, arrays: data.train_test_split(*arrays),
        lambda: {"arrays": [X]},
        {"arrays": wrong(TypeError, "at least one array", none_at_all=[])},
        variant="no arrays",
    ),
    Call(
        "data.load_idx",
        lambda: None,
        lambda subject, path: data.load_idx(path) if path != "right" else None,
        lambda: {"path": "right"},
        {
            "path": [
                *NO_PATH,
                *wrong(FileNotFoundError, "nowhere", missing="/nowhere/images.idx"),
                *wrong(ValueError, "/dev/null is no IDX file", empty="/dev/null"),
            ]
        },
    ),
]

# ------------------------------------------------------------------------------------------------------- metrics

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


METRICS = [
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

# ---------------------------------------------------------------------------------------------------- inspection

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


def captured(model: Any) -> None:
    with pynet.capture(model):
        pass


INSPECTION = [
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
]

SETTINGS = [
    function("set_num_threads", pynet.set_num_threads, lambda: {"count": 2}, wrong={"count": sizes(1)}),
    function(
        "set_default_dtype", pynet.set_default_dtype, lambda: {"dtype": "float64"}, wrong={"dtype": DTYPES + NONE}
    ),
]

# --------------------------------------------------------------------------------------------------------- files


def somewhere() -> str:
    return os.path.join(tempfile.mkdtemp(prefix="pynet-"), "model.npz")


def saved() -> str:
    path = somewhere()
    pynet.save(network(), path)
    return path


ENDINGS = wrong(
    ValueError, "{} must end in", text="model.txt", no_ending="model", upper="model.NPZ", empty="", dot=".npz"
)
NOT_THERE = wrong(FileNotFoundError, "nowhere", missing="/nowhere/model.npz")
NO_CLASSES = [
    *wrong(TypeError, "{} must be a list of classes", none=None, number=5, text="Scale", names=["Scale"], nones=[None]),
    *wrong(TypeError, "{} must be a list of classes", a_class=pynet.Linear, dict={"Scale": pynet.Linear}),
]
METADATA = [
    *wrong(
        TypeError, "{} must be what JSON can hold", set={1}, bytes=b"a", complex=1j, object=object(), array=np.ones(2)
    ),
    *wrong(ValueError, "{} must be what JSON can hold", nan=nan, inf=[1.0, {"a": np.inf}]),
]

FILES = [
    function(
        "save",
        pynet.save,
        lambda: {"model": network(), "path": somewhere(), "metadata": {"a": [1]}},
        wrong={
            "model": [row._replace(says="[mM]odule.*got") for row in NO_MODULE],
            "path": NO_PATH + ENDINGS + NOT_THERE,
            "metadata": METADATA,
        },
    ),
    function(
        "load",
        pynet.load,
        lambda: {"path": saved()},
        wrong={"path": NO_PATH + ENDINGS + NOT_THERE, "classes": NO_CLASSES},
    ),
    function(
        "load_metadata", pynet.load_metadata, lambda: {"path": saved()}, wrong={"path": NO_PATH + ENDINGS + NOT_THERE}
    ),
]

# ------------------------------------------------------------------------------------------------------ pictures

PICTURES = [
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

CALLS = DATA + METRICS + INSPECTION + SETTINGS + FILES
if importlib.util.find_spec("matplotlib"):
    CALLS += PICTURES
