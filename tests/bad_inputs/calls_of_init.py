"""Initial values under wrong arguments."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from wrong_calls import Call, function
from wrong_values import AT_LEAST_ZERO, FINITE, FRACTION, SEEDS, Wrong, arrays_of_shapes, made, wrong

from pynet import init

NO_ARRAY = [
    *wrong(
        TypeError, "array must be a NumPy array of floating numbers, got", none=None, list=[1.0], number=3.5, text="a"
    ),
    *made(
        TypeError,
        "array must be a NumPy array of floating numbers, got an array of",
        integers=lambda: np.zeros((3, 4), int),
        complex=lambda: np.zeros((3, 4), complex),
        objects=lambda: np.zeros((3, 4), object),
        texts=lambda: np.full((3, 4), "a"),
    ),
    Wrong("read_only", lambda: np.broadcast_to(0.0, (3, 4)), ValueError, "array is read-only"),
]
NOT_TWO_AXES = arrays_of_shapes((), (3,), (2, 3, 4), says="expected 2 axes")
NO_FANS = arrays_of_shapes((), (3,), says="expected at least 2 axes")
NO_NAME = wrong(ValueError, "{} must be one of", other="gelu", none=None, number=3)


def filling(name: str, shapes: list[Wrong], right: dict[str, Any], **wrong_values: list[Wrong]) -> Call:
    """A function that fills an array."""
    called: Callable[..., Any] = getattr(init, name)
    return function(
        f"init.{name}",
        called,
        lambda: {"array": np.ones((3, 4)), **right},
        wrong={"array": NO_ARRAY + shapes, **wrong_values},
    )


drawing = partial(filling, seed=SEEDS)

CALLS = [
    function(
        "init.calculate_gain",
        init.calculate_gain,
        lambda: {"nonlinearity": "leaky_relu", "param": 0.1},
        wrong={"nonlinearity": NO_NAME, "param": [row for row in FINITE if row.name != "none"]},
    ),
    filling("zeros_", [], {}),
    filling("ones_", [], {}),
    filling("constant_", [], {"val": 0.5}, val=[row for row in FINITE if row.error is TypeError]),
    filling("eye_", NOT_TWO_AXES, {}),
    drawing("uniform_", [], {"a": 0.0, "b": 1.0, "seed": 0}, a=FINITE, b=FINITE),
    drawing("normal_", [], {"mean": 0.0, "std": 1.0, "seed": 0}, mean=FINITE, std=AT_LEAST_ZERO),
    drawing("trunc_normal_", [], {"mean": 0.0, "std": 1.0, "seed": 0}, mean=FINITE, std=AT_LEAST_ZERO),
    drawing("xavier_uniform_", NO_FANS, {"gain": 1.0, "seed": 0}, gain=AT_LEAST_ZERO),
    drawing("xavier_normal_", NO_FANS, {"gain": 1.0, "seed": 0}, gain=AT_LEAST_ZERO),
    *(
        drawing(
            name,
            NO_FANS,
            {"a": 0.0, "mode": "fan_in", "nonlinearity": "leaky_relu", "seed": 0},
            mode=NO_NAME,
            nonlinearity=NO_NAME,
        )
        for name in ("kaiming_uniform_", "kaiming_normal_")
    ),
    drawing("orthogonal_", NO_FANS, {"gain": 1.0, "seed": 0}, gain=FINITE),
    drawing("sparse_", NOT_TWO_AXES, {"sparsity": 0.5, "std": 1.0, "seed": 0}, sparsity=FRACTION, std=AT_LEAST_ZERO),
]
