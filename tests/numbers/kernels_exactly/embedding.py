"""Embedding's gradient: what falls to each of its rows, summed."""

import numpy as np

import pynet

from .row import Row

ROWS = 3


def places(random, size, dtype):
    """Two rows that stand everywhere, and one that stands once; all gradients are of one sign."""
    count = max(10_000, size)
    indices = random.integers(ROWS - 1, size=count)
    indices[7] = ROWS - 1
    return indices, random.uniform(size=(count, 4)).astype(dtype)


def grad_weight(indices, g):
    layer = pynet.Embedding(ROWS, g.shape[1], dtype=g.dtype)
    layer.backward(indices, g)
    return layer.grad_weight


def summed(indices, g):
    return np.stack([g[indices == row].sum(axis=0) for row in range(ROWS)])


def torch_grad_weight(t, indices, g):
    w = t.zeros((ROWS, g.shape[1]), dtype=g.dtype, requires_grad=True)
    t.nn.functional.embedding(indices, w).backward(g)
    return w.grad


EMBEDDING = [
    Row(
        "Embedding, backward, weight",
        "uniform, a column of rows",
        places,
        grad_weight,
        lambda m, indices, g: summed(indices, g),
        (4, 4),
        summed,
        torch_grad_weight,
        lambda m, indices, g: summed(indices, np.abs(g)),
        "u Σ|g|",
    )
]
