"""Criteria that compare numbers with their targets, their options, and the weights of rows, under wrong arguments."""

from functools import partial
from typing import Any

import numpy as np
from calls_of_criteria import (
    CLASS_WEIGHTS,
    LABEL,
    LABELS,
    NEITHER_LABELS_NOR_ROWS,
    NO_ROWS,
    NOT_TWO_AXES,
    OF_OTHER_ROWS,
    ONE_HOT,
    PROBABILITIES,
    REDUCTIONS,
    UNLIKE_INPUT,
    UNLIKE_TARGET,
    WRONG_LABELS,
    both,
    in_use,
    of_no_rows,
    of_shapes,
)
from wrong_calls import Call, attribute, function, method
from wrong_values import (
    AT_LEAST_ZERO,
    POSITIVE,
    Wrong,
    arrays_of_shapes,
    few,
    made,
    nan,
    no_numbers,
    without_none,
    wrong,
)

import pynet

AS_THE_INPUT = {
    "": pynet.L1Loss,
    "SmoothL1Loss": pynet.SmoothL1Loss,
    "HuberLoss": pynet.HuberLoss,
    "BCELoss": pynet.BCELoss,
    "BCEWithLogitsLoss": pynet.BCEWithLogitsLoss,
    "KLDivLoss": pynet.KLDivLoss,
    "PoissonNLLLoss": pynet.PoissonNLLLoss,
}
COLUMN = np.linspace(0, 1, 5)
NO_PROBABILITIES = made(
    ValueError,
    r"{} has .* in row \d, expected probabilities from 0 to 1",
    negative=lambda: PROBABILITIES - 0.5,
    above=lambda: PROBABILITIES + 0.7,
    infinite=lambda: np.full((5, 3), np.inf),
)


def of_two(name: str) -> list[Call]:
    """GaussianNLLLoss beside two columns, and beside one."""
    make = partial(pynet.GaussianNLLLoss, reduction="none")
    x = np.array([[1.0, 2.0, 0.5, 0.5]] * 5)
    odd = of_shapes(r"{} has shape .*, expected \(batch, 2 k\)", (5, 3), (5,), (5, 2, 2), ())
    negative = made(ValueError, "{} has the variance -0.5.* in row 0", negative=lambda: -x)
    other = [*of_shapes(r"target has shape", (4, 4), (5, 2)), *odd, *negative]
    targets = of_shapes(r"{} has shape .*, expected \(5, 2\) beside", (5,), (5, 1), (4, 2), (2, 5), (5, 2, 1))

    def right() -> dict[str, Any]:
        return {"input": x.copy(), "target": np.ones((5, 2))}

    def ready() -> Any:
        criterion = make()
        criterion.forward(**right())
        criterion.backward(**right())
        return criterion

    return [
        method(ready, name, right, wrong={"input": few(no_numbers()) + other, "target": few(no_numbers()) + targets})
    ]


CALLS = []
for name, make in AS_THE_INPUT.items():
    more = NO_PROBABILITIES if make is pynet.BCELoss else []
    CALLS += both(make, ONE_HOT, UNLIKE_TARGET + more, UNLIKE_INPUT + more, name)
CALLS += both(pynet.NLLLoss, LABELS, NOT_TWO_AXES + NO_ROWS + OF_OTHER_ROWS, WRONG_LABELS, "NLLLoss, labels")
CALLS += both(pynet.NLLLoss, ONE_HOT, NOT_TWO_AXES + NO_ROWS + OF_OTHER_ROWS, NEITHER_LABELS_NOR_ROWS, "NLLLoss, rows")
CALLS += both(
    partial(pynet.PinballLoss, [0.1, 0.5, 0.9]),
    COLUMN,
    [
        *of_shapes(r"input has shape .*, expected \(batch, ..., (3\)|quantiles\))", (5, 4), (5,), ()),
        *of_shapes(r"target has shape \(5,\)", (4, 3), (5, 1, 3)),
    ],
    of_shapes(r"{} has shape .*, expected \(5,\) beside", (4,), (5, 3), (1, 5), (5, 1, 1), ()),
    "PinballLoss",
)
CALLS += [call for name in ("forward", "backward", "row_losses") for call in of_two(name)]
CALLS += [of_no_rows(make, name) for make in AS_THE_INPUT.values() for name in ("forward", "backward", "row_losses")]

# ------------------------------------------------------------------------------------------------- weights of rows

WEIGHTS = [
    *without_none(no_numbers((5,))),
    *of_shapes(r"{} has shape .*, expected \(5,\): one for each row", (), (4,), (6,), (1,), (5, 1), (1, 5), (5, 3)),
    *made(
        ValueError,
        "{} must be finite and not negative, got .* in row 2",
        negative=lambda: np.array([1, 1, -0.5, 1, 1]),
        nan=lambda: [1, 1, nan, 1, 1],
        infinite=lambda: [1, 1, np.inf, 1, 1],
    ),
]
for make, target in (
    (pynet.MSE, ONE_HOT),
    (partial(pynet.MSELoss, "none"), ONE_HOT),
    (pynet.CrossEntropy, LABELS),
    (pynet.CrossEntropyLoss, LABELS),
    (pynet.NLLLoss, LABELS),
    (pynet.HuberLoss, ONE_HOT),
    (partial(pynet.PinballLoss, [0.1, 0.5, 0.9]), COLUMN),
):
    CALLS += [
        method(
            partial(in_use, make, target),
            name,
            lambda target=target: {"input": PROBABILITIES.copy(), "target": target.copy(), "weight": np.ones(5)},
            wrong={"weight": WEIGHTS if make is pynet.MSE else few(WEIGHTS) + WEIGHTS[-5:]},
            variant="weights of rows",
            **({"owner": "Criterion"} if name == "__call__" else {}),
        )
        for name in (("forward", "backward", "__call__") if make is pynet.MSE else ("forward", "backward"))
    ]

# --------------------------------------------------------------------------------------------------------- options

KL_REDUCTIONS = [
    value._replace(says="{} must be one of 'mean', 'batchmean', 'sum', 'none', got") for value in REDUCTIONS
]
POS_WEIGHTS = [
    *few(without_none(no_numbers((3,)))),
    *arrays_of_shapes((1, 3), (3, 1), says="expected"),
    *made(
        ValueError, "{} must be finite and not negative", some=lambda: [1.0, -1.0, 1.0], nans=lambda: [1.0, nan, 1.0]
    ),
    *wrong(ValueError, "{} must be finite and at least 0", negative=-1.0, nan=nan, inf=np.inf),
]
QUANTILES = [
    *few(no_numbers((3,))),
    *arrays_of_shapes((), (1, 3), (3, 1), says="expected"),
    *made(ValueError, "{} must hold at least one number", empty=lambda: []),
    *made(
        ValueError,
        "{} must lie between 0 and 1, each above the one before",
        zero=lambda: [0.0, 0.5, 0.9],
        one=lambda: [0.1, 0.5, 1.0],
        negative=lambda: [-0.1, 0.5, 0.9],
        twice=lambda: [0.1, 0.5, 0.5],
        falling=lambda: [0.9, 0.5, 0.1],
        nans=lambda: [0.1, nan, 0.9],
    ),
]
OPTIONS: dict[Any, dict[str, tuple[Any, list[Wrong]]]] = {
    pynet.L1Loss: {"reduction": ("sum", REDUCTIONS)},
    pynet.BCELoss: {"reduction": ("sum", REDUCTIONS)},
    pynet.SmoothL1Loss: {"reduction": ("sum", REDUCTIONS), "beta": (0.5, AT_LEAST_ZERO)},
    pynet.HuberLoss: {"reduction": ("sum", REDUCTIONS), "delta": (0.5, POSITIVE)},
    pynet.BCEWithLogitsLoss: {"reduction": ("sum", REDUCTIONS), "pos_weight": ([1.0, 2.0, 3.0], POS_WEIGHTS)},
    pynet.KLDivLoss: {"reduction": ("batchmean", KL_REDUCTIONS)},
    pynet.PoissonNLLLoss: {"reduction": ("sum", REDUCTIONS), "eps": (0.5, POSITIVE)},
    pynet.GaussianNLLLoss: {"reduction": ("sum", REDUCTIONS), "eps": (0.5, POSITIVE)},
    pynet.NLLLoss: {
        "weight": ([1.0, 2.0, 3.0], CLASS_WEIGHTS),
        "ignore_index": (1, LABEL),
        "reduction": ("sum", REDUCTIONS),
    },
    pynet.PinballLoss: {"quantiles": ([0.1, 0.5, 0.9], QUANTILES), "reduction": ("sum", REDUCTIONS)},
}
for cls, options in OPTIONS.items():
    right = {name: value for name, (value, _) in options.items()}
    CALLS.append(
        function(cls.__name__, cls, partial(dict, right), wrong={name: bad for name, (_, bad) in options.items()})
    )
    CALLS += [
        attribute(partial(cls, **right), name, partial(right.get, name), bad) for name, (_, bad) in options.items()
    ]
CALLS += [
    method(
        partial(pynet.BCEWithLogitsLoss, pos_weight=[1.0, 2.0, 3.0]),
        name,
        lambda: {"input": PROBABILITIES.copy(), "target": ONE_HOT.copy()},
        wrong={"input": of_shapes("target has shape", (5, 4)), "target": of_shapes("{} has shape", (5, 4))},
        variant="a weight for each column",
    )
    for name in ("forward", "backward", "row_losses")
]


def beside_columns(name: str) -> Call:
    """As many weights of positive targets as there are columns in neither input nor target."""
    return Call(
        f"BCEWithLogitsLoss.{name}",
        partial(pynet.BCEWithLogitsLoss, pos_weight=[1.0, 2.0, 3.0]),
        lambda subject, shape: getattr(subject, name)(np.ones(shape), np.ones(shape)),
        lambda: {"shape": (5, 3)},
        {"shape": wrong(pynet.ShapeError, r"expected \(batch, ..., 3\)", wide=(5, 4), narrow=(5, 1), flat=(3,))},
        variant="columns",
    )


CALLS += [beside_columns(name) for name in ("forward", "backward", "row_losses")]
