"""Data and files of data under wrong arguments."""

import numpy as np
from wrong_calls import Call, attribute, function
from wrong_values import DTYPES, NO_NUMBERS, NO_PATH, SEEDS, arrays_of_shapes, made, nan, sizes, without_none, wrong

import pynet
from pynet import data

X = np.linspace(-1, 1, 20).reshape(5, 4)
SCORES = np.linspace(-1, 1, 15).reshape(5, 3) ** 2
LABELS = np.array([0, 1, 2, 2, 0])

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

CALLS = [
    function(
        "data.DataLoader",
        data.DataLoader,
        lambda: {"X": X.copy(), "y": LABELS.copy(), "batch_size": 2, "seed": 1},
        wrong={"X": NO_ROWS, "y": NO_ROWS, "batch_size": sizes(1), "seed": SEEDS},
    ),
    attribute(lambda: data.DataLoader(X, LABELS), "batch_size", lambda: 2, sizes(1)),
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
