"""The norms of samples, near 0 and far from it; a sample has 48 numbers, in groups that are normalised together."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import pynet

from .row import AS_WRITTEN, TERMS, Row, constant

SIZE, EPS = 48, 1e-5


class Norm(NamedTuple):
    name: str
    make: Callable[..., Any]  # of a dtype
    shape: tuple[int, ...]  # of a sample; a weight for each of the first axis
    groups: int
    centred: bool  # whether means are subtracted, and there is a bias
    torch: Callable[..., Any]  # torch, x, w, b -> tensor


def group_norm(t, x, w, b):
    return t.nn.functional.group_norm(x, 4, w, b, EPS)


NORMS = [
    Norm(
        "LayerNorm",
        lambda dtype: pynet.LayerNorm(SIZE, EPS, dtype=dtype),
        (SIZE,),
        1,
        True,
        lambda t, x, w, b: t.nn.functional.layer_norm(x, (SIZE,), w, b, EPS),
    ),
    Norm(
        "RMSNorm",
        lambda dtype: pynet.RMSNorm(SIZE, EPS, dtype=dtype),
        (SIZE,),
        1,
        False,
        lambda t, x, w, b: t.nn.functional.rms_norm(x, (SIZE,), w, EPS),
    ),
    Norm("GroupNorm", lambda dtype: pynet.GroupNorm(4, SIZE, EPS, dtype=dtype), (SIZE,), 4, True, group_norm),
    Norm("GroupNorm", lambda dtype: pynet.GroupNorm(4, 8, EPS, dtype=dtype), (8, 6), 4, True, group_norm),
]


def samples(norm, offset):
    """Inputs and gradients, weights and biases."""

    def make(random, size, dtype):
        x, g = random.normal(size=(2, max(10, size // SIZE), *norm.shape))
        arrays = x + offset, g, *random.uniform(0.5, 1.5, (2, norm.shape[0]))
        return tuple(array.astype(dtype) for array in arrays)

    return make


def many_samples(norm, which):
    """Whose sums grow and grow: the gradients have one sign, or for weights, that of the input."""

    def make(random, size, dtype):
        x, g, w, b = samples(norm, 0)(random, 10_000 * SIZE, dtype)
        return x, np.copysign(g, x if which == 1 else 1), w, b

    return make


def prepared(norm, w, b):
    layer = norm.make(w.dtype)
    for array, values in zip(layer.parameters(), (w, b), strict=False):
        array[...] = values
    return layer


def gradient_of(norm, which):
    """The gradient of input, weight or bias."""

    def run(x, g, w, b):
        layer = prepared(norm, w, b)
        return (layer.backward(x, g), *layer.grad_parameters())[which]

    return run


def torch_gradient_of(norm, which):
    def run(t, *arrays):
        x, g, w, b = (t.tensor(a.numpy(), requires_grad=True) for a in arrays)
        norm.torch(t, x, w, b).backward(g.detach())
        return (x, w, b)[which].grad

    return run


# ------------------------------------------------------------------- the formulas, on arrays (samples, groups, numbers)


def in_groups(norm, x):
    return x.reshape(len(x), norm.groups, -1)


def of_groups(norm, w):
    return np.repeat(w, SIZE // len(w)).reshape(norm.groups, -1)


def average(x):
    return x.sum(axis=-1, keepdims=True) / x.shape[-1]


def normalized(norm, m, x):
    """The input without its mean, divided by s; and s."""
    x = in_groups(norm, x)
    x = x - average(x) if norm.centred else x
    s = m.sqrt(average(x * x) + constant(m, EPS))
    return x / s, s


def output(norm, m, x, g, w, b):
    y = normalized(norm, m, x)[0] * of_groups(norm, w)
    return (y + of_groups(norm, b) if norm.centred else y).reshape(x.shape)


def grad_input(norm, m, x, g, w, b):
    y, s = normalized(norm, m, x)
    g = in_groups(norm, g) * of_groups(norm, w)
    rest = g - average(g) if norm.centred else g
    return ((rest - y * average(g * y)) / s).reshape(x.shape)


def grad_input_scale(norm, m, x, g, w, b):
    y, s = normalized(norm, m, x)
    g = np.abs(in_groups(norm, g)) * of_groups(norm, w)
    size = g + average(g) if norm.centred else g
    return ((size + np.abs(y) * average(np.abs(g * y))) / s).reshape(x.shape)


def terms_of_weight(norm, m, x, g, w, b):
    return g * normalized(norm, m, x)[0].reshape(x.shape)


def summed(terms):
    """Over samples and positions."""
    return terms.reshape(*terms.shape[:2], -1).sum(axis=(0, 2))


def rows_of(norm):
    far = [
        row
        for offset in (0, 10_000)
        for kind in (f"normal + {offset}" if offset else "normal",)
        for row in (
            Row(
                f"{norm.name}, forward",
                kind,
                samples(norm, offset),
                lambda x, g, w, b: prepared(norm, w, b)(x),
                partial(output, norm),
                (1.01, 10 * max(1, offset if norm.centred else 0)),
                partial(output, norm, AS_WRITTEN),
                lambda t, x, g, w, b: norm.torch(t, x, w, b),
                lambda *a: np.maximum(np.abs(output(norm, *a)), 1),
                "u max(|y|, 1)",
            ),
            Row(
                f"{norm.name}, backward, input",
                kind,
                samples(norm, offset),
                gradient_of(norm, 0),
                partial(grad_input, norm),
                (1.01, 10 * max(1, offset if norm.centred else 0)),
                partial(grad_input, norm, AS_WRITTEN),
                torch_gradient_of(norm, 0),
                partial(grad_input_scale, norm),
                TERMS,
            ),
        )
    ]
    sums = [long_sum(norm, "weight", 1, terms_of_weight), long_sum(norm, "bias", 2, lambda norm, m, x, g, w, b: g)]
    return far + (sums if norm.centred else sums[:1])


def long_sum(norm, name, which, terms):
    return Row(
        f"{norm.name}, backward, {name}",
        "terms of one sign, 10,000 samples",
        many_samples(norm, which),
        gradient_of(norm, which),
        lambda *a: summed(terms(norm, *a)),
        (4, 4),
        lambda *a: summed(terms(norm, AS_WRITTEN, *a)),
        torch_gradient_of(norm, which),
        lambda *a: summed(np.abs(terms(norm, *a))),
        TERMS,
    )


SAMPLE_NORMS = [row for norm in NORMS for row in rows_of(norm)]
