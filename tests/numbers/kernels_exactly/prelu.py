"""PReLU, with a weight for all numbers and with one for each channel, of rows and of rows of positions."""

import numpy as np

import pynet

from .row import Row


def rows_and_weights(shape, weights):
    def make(random, size, dtype):
        x, g = random.normal(size=(2, max(10, size // 8), *shape))
        return tuple(array.astype(dtype) for array in (x, g, random.uniform(0.1, 0.5, weights)))

    return make


def negative(shape, weights):
    """A long batch in which everything counts, and whose products are of one sign."""

    def make(random, size, dtype):
        x, g = random.uniform(size=(2, max(10_000, size), *shape))
        return tuple(array.astype(dtype) for array in (-x, g, random.uniform(0.1, 0.5, weights)))

    return make


def prelu(x, w):
    layer = pynet.PReLU(len(w), dtype=w.dtype)
    layer.weight[...] = w
    return layer


def grad_weight(x, g, w):
    layer = prelu(x, w)
    layer.backward(x, g)
    return layer.grad_weight


def of_channels(x, w):
    """A weight for each channel, the second axis."""
    return w if len(w) == 1 else w.reshape(-1, *[1] * (x.ndim - 2))


def summed(terms, w):
    of_each = terms.reshape(*terms.shape[:2], -1).sum(axis=(0, 2))
    return of_each if len(w) > 1 else of_each.sum(keepdims=True)


def terms_of_weight(x, g):
    return np.where(x > 0, x * 0, x) * g


def torch_gradient_of(which):
    def run(t, *arrays):
        x, g, w = (t.tensor(a.numpy(), requires_grad=True) for a in arrays)
        t.nn.functional.prelu(x, w).backward(g.detach())
        return (x, w)[which].grad

    return run


PRELU = [
    row
    for shape, weights in (((3,), 1), ((3,), 3), ((3, 5), 3))
    for row in (
        Row(
            "PReLU, forward",
            "normal",
            rows_and_weights(shape, weights),
            lambda x, g, w: prelu(x, w)(x),
            lambda m, x, g, w: np.where(x > 0, x, x * of_channels(x, w)),
            (0.5, 0.5),
            lambda x, g, w: np.where(x > 0, x, x * of_channels(x, w)),
            lambda t, x, g, w: t.nn.functional.prelu(x, w),
        ),
        Row(
            "PReLU, backward, input",
            "normal",
            rows_and_weights(shape, weights),
            lambda x, g, w: prelu(x, w).backward(x, g),
            lambda m, x, g, w: np.where(x > 0, g, g * of_channels(x, w)),
            (0.5, 0.5),
            lambda x, g, w: np.where(x > 0, g, g * of_channels(x, w)),
            torch_gradient_of(0),
        ),
        Row(
            "PReLU, backward, weight",
            "uniform, a column of rows",
            negative(shape, weights),
            grad_weight,
            lambda m, x, g, w: summed(terms_of_weight(x, g), w),
            (4, 4),
            lambda x, g, w: summed(terms_of_weight(x, g), w),
            torch_gradient_of(1),
            lambda m, x, g, w: summed(np.abs(terms_of_weight(x, g)), w),
            "u Σ|x g|",
        ),
    )
]
