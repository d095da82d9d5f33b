"""Constructors and attributes of norms, Embedding, Columns, Unflatten and Reshape; the rest is with the layers."""

from functools import partial

import numpy as np
from calls_of_layers import array_attributes, in_use, row_of
from wrong_calls import attribute, function, method
from wrong_values import AT_LEAST_ZERO, DTYPES, NO_INT, NONE, SEEDS, sizes, wrong

import pynet

COUNTS = sizes(1)
EPS_OR_NONE = [row for row in AT_LEAST_ZERO if row.name != "none"]
# A list of ints is right where a shape is meant.
SHAPES = [row for row in COUNTS if row.name not in ("list", "tuple", "array", "dict")] + [
    *wrong(ValueError, "{} must have at least one axis", no_axes=[], no_axes_in_a_tuple=()),
    *wrong(ValueError, "{} must be from 1 to", an_empty_axis=[2, 0], negative_axis=(-1, 3)),
    *wrong(TypeError, "{} must be an int", half=[1.5], text_in_a_list=["4"], nested=[[4]]),
]
NEW_SHAPES = [
    *wrong(ValueError, "{} must have at least one axis, and at most one -1", two_open=[-1, -1], no_axes=[]),
    *wrong(ValueError, "{} must be from 1 to", an_empty_axis=[2, 0], negative_axis=(-2, 3)),
    *wrong(TypeError, "{} must be an int", half=[1.5], text_in_a_list=["4"], nested=[[4]]),
]
NO_SEQUENCE = wrong(TypeError, "{} must be a sequence of ints", none=None, number=4, text="4", a_class=int)
COLUMNS = [
    *wrong(TypeError, "{} must be a slice or a list of ints", none=None, number=4, text="4", a_class=int),
    *wrong(TypeError, "{} must be an int", half=[1.5], text_in_a_list=["a"], true=[True], half_slice=slice(0.5, 2)),
    *wrong(ValueError, "{} must not be a slice with step 0", no_step=slice(None, None, 0)),
]
PADDING = [row for row in NO_INT if row.name != "none"] + wrong(
    ValueError, "{} must be from -10 to 9, got", too_large=10, too_small=-11
)


def arrays_of(cls):
    return {name: name for name in cls.parameter_names} | {
        f"grad_{name}": f"grad_{name}" for name in cls.parameter_names
    }


norms = {cls: partial(in_use, row_of(cls)) for cls in (pynet.LayerNorm, pynet.RMSNorm, pynet.GroupNorm)}
embedding, unflatten = partial(in_use, row_of(pynet.Embedding)), partial(in_use, row_of(pynet.Unflatten))
reshape = partial(in_use, row_of(pynet.Reshape))

CALLS = [
    function(
        "LayerNorm",
        pynet.LayerNorm,
        lambda: {"normalized_shape": np.int64(4), "eps": 0, "dtype": "float32"},
        wrong={"normalized_shape": SHAPES, "eps": AT_LEAST_ZERO, "dtype": DTYPES},
    ),
    function(
        "RMSNorm",
        pynet.RMSNorm,
        lambda: {"normalized_shape": [4], "eps": None, "dtype": np.float64},
        wrong={"normalized_shape": SHAPES, "eps": EPS_OR_NONE, "dtype": DTYPES},
    ),
    function(
        "GroupNorm",
        pynet.GroupNorm,
        lambda: {"num_groups": 2, "num_channels": 4, "eps": 1e-5, "dtype": np.float64},
        wrong={
            "num_groups": COUNTS,
            "num_channels": COUNTS + wrong(ValueError, "{} must be a multiple of num_groups, 2, got 5", no_multiple=5),
            "eps": AT_LEAST_ZERO,
            "dtype": DTYPES,
        },
    ),
    function(
        "Embedding",
        pynet.Embedding,
        lambda: {"num_embeddings": 10, "embedding_dim": 3, "padding_idx": -1, "dtype": np.float32, "seed": 0},
        wrong={
            "num_embeddings": COUNTS,
            "embedding_dim": COUNTS,
            "padding_idx": PADDING,
            "dtype": DTYPES,
            "seed": SEEDS,
        },
    ),
    function("Columns", pynet.Columns, lambda: {"columns": [0]}, wrong={"columns": COLUMNS}),
    function(
        "Unflatten",
        pynet.Unflatten,
        lambda: {"dim": 1, "unflattened_size": (2, -1)},
        wrong={"dim": NO_INT + NONE, "unflattened_size": NEW_SHAPES + NO_SEQUENCE},
    ),
    function(
        "Reshape",
        lambda shape: pynet.Reshape(*shape),
        lambda: {"shape": (2, -1)},
        wrong={"shape": NEW_SHAPES},
    ),
    attribute(partial(in_use, row_of(pynet.Columns)), "columns", lambda: slice(1, None), COLUMNS),
    attribute(lambda: pynet.Embedding(10, 3), "padding_idx", lambda: -1, PADDING),
    attribute(unflatten, "dim", lambda: 1, NO_INT + NONE),
    attribute(unflatten, "unflattened_size", lambda: (2, 2), NEW_SHAPES + NO_SEQUENCE),
    attribute(reshape, "shape", lambda: (2, 2), NEW_SHAPES + NO_SEQUENCE),
    *(
        attribute(make, "eps", lambda: 0.5, EPS_OR_NONE if cls is pynet.RMSNorm else AT_LEAST_ZERO)
        for cls, make in norms.items()
    ),
    *(row for cls, make in norms.items() for row in array_attributes(make, arrays_of(cls))),
    *(
        method(
            make,
            "flops",
            lambda: {"input_shape": (5, 4)},
            wrong={"input_shape": wrong(TypeError, "", none=None, number=5)},
        )
        for make in (*norms.values(), embedding)
    ),
    *array_attributes(embedding, {"weight": "weight", "grad_weight": "grad_weight"}),
]

__all__ = ["CALLS"]
