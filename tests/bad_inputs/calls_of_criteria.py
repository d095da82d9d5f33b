"""Criteria under wrong arguments."""

from functools import partial
from typing import Any

import numpy as np
from table import LABELS, ONE_HOT
from wrong_calls import Call, attribute, function, method
from wrong_values import SHARE, Wrong, arrays_of_shapes, few, made, nan, no_numbers, shapes_unlike, without_none, wrong

import pynet

PROBABILITIES = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2], [0.3, 0.3, 0.4], [0.9, 0.05, 0.05]])


def in_use(make: Any, target: np.ndarray) -> Any:
    """A criterion with a loss and a gradient."""
    criterion = make()
    criterion.forward(PROBABILITIES, target)
    criterion.backward(PROBABILITIES, target)
    return criterion


def both(make: Any, target: np.ndarray, inputs: list[Wrong], targets: list[Wrong], variant: str) -> list[Call]:
    """Forward, backward and the losses of the rows."""
    ready = partial(in_use, make, target)

    def right():
        return {"input": PROBABILITIES.copy(), "target": target.copy()}

    def values(some: Any) -> dict[str, list[Wrong]]:
        return {"input": some(no_numbers((5, 3))) + inputs, "target": some(no_numbers(target.shape)) + targets}

    return [
        method(ready, name, right, wrong=values(few if variant or name == "row_losses" else list), variant=variant)
        for name in ("forward", "backward", "row_losses")
    ]


def of_shapes(says: str, *shapes: tuple[int, ...]) -> list[Wrong]:
    """Arrays of wrong shapes, with a pattern for all."""
    return [Wrong(f"shape{s}", partial(np.full, s, 0.5), pynet.ShapeError, says) for s in shapes]


NEAR = shapes_unlike((5, 3))
UNLIKE_TARGET = of_shapes(r"target has shape .*, expected \(.*\) as input", *NEAR)
UNLIKE_INPUT = arrays_of_shapes(*NEAR, says=r"expected \(5, 3\) as input")
# One axis of integers would be labels, and of floats is neither labels nor rows.
NEITHER_LABELS_NOR_ROWS = of_shapes(r"{} has shape .*, expected", *NEAR)
NOT_TWO_AXES = of_shapes(r"{} has shape .*, expected 2 axes: \(batch, classes\)", *(s for s in NEAR if len(s) != 2))
NO_ROWS = made(ValueError, "{} has no rows", no_rows=lambda: np.ones((0, 3)), nothing=lambda: np.ones((0, 0)))


def labels(name: str, value: Any, error: type = ValueError, says: str = "{} has label .* in row 2, expected 0 to 2"):
    """Labels of which the third is wrong."""
    return Wrong(name, lambda: np.array([0, 1, value, 2, 0]), error, says)


WRONG_LABELS = [
    labels("minus_one", -1),
    labels("classes", 3),
    labels("classes_and_one", 4),
    labels("smallest_int64", -(2**63)),
    labels("largest_int64", 2**63 - 1),
    Wrong("largest_uint64", lambda: np.full(5, 2**64 - 1, np.uint64), ValueError, "{} has label 18446744073709551615"),
    Wrong("int8", lambda: np.full(5, -99, np.int8), ValueError, "{} has label -99 in row 0"),
    labels("half", 1.5, pynet.ShapeError, "{} has shape .*is not of integers"),
    labels("nan", nan, pynet.ShapeError, "{} has shape .*is not of integers"),
    Wrong("bools", lambda: np.array([True, False, True, True, False]), TypeError, "{} must hold integer labels"),
    Wrong("list", lambda: [0, 1, 7, 2, 0], ValueError, "{} has label 7 in row 2"),
    *(
        Wrong(f"{n}_labels", lambda n=n: np.zeros(n, int), pynet.ShapeError, r"{} has shape .*, expected \(5,\)")
        for n in (0, 1, 3, 4, 6)
    ),
    *(
        Wrong(f"labels{s}", partial(np.zeros, s, int), pynet.ShapeError, r"{} has shape .*, expected")
        for s in ((), (5, 1), (1, 5), (5, 2), (5, 4), (1, 5, 3))
    ),
]
OF_OTHER_ROWS = of_shapes("target has shape", (4, 3), (6, 3), (1, 3))

CLASSES = {
    "CrossEntropy": pynet.CrossEntropy,
    "CrossEntropyLoss": pynet.CrossEntropyLoss,
    "CrossEntropyLoss with options": partial(pynet.CrossEntropyLoss, [1.0, 2.0, 3.0], label_smoothing=0.1),
}

CALLS = []
for name, make in {"": pynet.MSE, "none": partial(pynet.MSELoss, "none")}.items():
    CALLS += both(make, ONE_HOT, UNLIKE_TARGET, UNLIKE_INPUT, name)
for name, make in CLASSES.items():
    CALLS += both(
        make,
        LABELS,
        NOT_TWO_AXES + NO_ROWS + OF_OTHER_ROWS,
        WRONG_LABELS,
        "" if name == "CrossEntropy" else f"{name}, labels",
    )
    CALLS += both(make, ONE_HOT, NOT_TWO_AXES + NO_ROWS + OF_OTHER_ROWS, NEITHER_LABELS_NOR_ROWS, f"{name}, rows")


def of_no_rows(make: Any, method_name: str) -> Call:
    """An empty batch, of which nothing is but both arguments together."""
    return Call(
        f"{type(make()).__name__}.{method_name}",
        partial(in_use, make, ONE_HOT),
        lambda subject, rows: getattr(subject, method_name)(PROBABILITIES[:rows], ONE_HOT[:rows]),
        lambda: {"rows": 5},
        {"rows": [Wrong("0", lambda: 0, ValueError, "(is empty|has no rows).*empty batch")]},
        variant="an empty batch",
    )


CALLS += [
    of_no_rows(make, method_name)
    for make in (pynet.MSE, pynet.MSELoss, pynet.CrossEntropy, pynet.CrossEntropyLoss)
    for method_name in ("forward", "backward", "row_losses")
]

CALLS.append(
    method(
        partial(in_use, pynet.MSE, ONE_HOT),
        "__call__",
        lambda: {"input": PROBABILITIES.copy(), "target": ONE_HOT.copy()},
        wrong={"input": UNLIKE_TARGET, "target": UNLIKE_INPUT},
        owner="Criterion",
    )
)

ALL_IGNORED = made(ValueError, "{} has no row that counts", all_ignored=lambda: np.full(5, -100))
CALLS += [
    method(
        partial(in_use, pynet.CrossEntropyLoss, LABELS),
        method_name,
        lambda: {"input": PROBABILITIES.copy(), "target": LABELS.copy()},
        wrong={"target": ALL_IGNORED},
        variant="no row counts",
    )
    for method_name in ("forward", "backward")
]
CALLS += [
    method(
        partial(in_use, partial(pynet.CrossEntropyLoss, [1.0, 2.0, 3.0]), LABELS),
        method_name,
        lambda: {"input": PROBABILITIES.copy(), "target": LABELS.copy()},
        wrong={
            "input": of_shapes(r"weight has shape \(3,\), expected \(4,\)", (5, 4))
            + of_shapes(r"weight has shape \(3,\), expected \(9,\)", (5, 9))
        },
        variant="weights of another number",
    )
    for method_name in ("forward", "backward")
]

REDUCTIONS = wrong(
    ValueError,
    "{} must be one of 'mean', 'sum', 'none', got",
    none=None,
    true=True,
    text="batch",
    upper="Mean",
    empty="",
    number=1,
    list=["mean"],
    array=np.array(["mean", "sum"]),
    bytes=b"mean",
)
CLASS_WEIGHTS = [
    *without_none(no_numbers((3,))),
    *arrays_of_shapes((), (1, 3), (3, 1), says="expected"),
    *made(
        ValueError,
        "{} must be finite and not negative",
        negative=lambda: [1.0, -1.0, 1.0],
        nan=lambda: [1.0, nan, 1.0],
        inf=lambda: [1.0, np.inf, 1.0],
    ),
]
LABEL = [
    *wrong(TypeError, "{} must be an int, got", none=None, text="1", float=1.0, true=True, list=[1], array=np.ones(1)),
    *wrong(ValueError, "{} must fit 64 bits", two_to_the_63=2**63, below=-(2**63) - 1, huge=2**100),
]
OPTIONS = {"weight": CLASS_WEIGHTS, "ignore_index": LABEL, "reduction": REDUCTIONS, "label_smoothing": SHARE}
RIGHT = {"weight": [1.0, 2.0, 3.0], "ignore_index": 1, "reduction": "sum", "label_smoothing": 0.1}

CALLS += [
    function("MSELoss", pynet.MSELoss, lambda: {"reduction": "sum"}, wrong={"reduction": REDUCTIONS}),
    function("CrossEntropyLoss", pynet.CrossEntropyLoss, lambda: dict(RIGHT), wrong=OPTIONS),
    attribute(partial(in_use, pynet.MSELoss, ONE_HOT), "reduction", lambda: "sum", REDUCTIONS),
    *(
        attribute(
            partial(in_use, CLASSES["CrossEntropyLoss with options"], LABELS), name, partial(RIGHT.get, name), values
        )
        for name, values in OPTIONS.items()
    ),
]
