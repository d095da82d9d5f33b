"""The criteria that are not about scores, with batches of usual sizes; `test_long_sums.py` has the long ones."""

import numpy as np

import pynet

from .row import Row, gradient
from .scores import of_label


def batches(random, size, dtype):
    x, t = random.normal(size=(2, max(5, size // 200), 50, 4)).astype(dtype)
    return x, t


def probabilities(random, size, dtype):
    """One row each: the loss is the logarithm itself."""
    p = np.exp2(random.uniform(-25, 0, size))
    return np.stack([p, 1 - p], axis=1).clip(1e-8, 0.9999).astype(dtype), np.arange(size) % 2


def of_batches(criterion):
    return lambda x, t: np.array([criterion(a, b) for a, b in zip(x, t, strict=True)])


CRITERIA = [
    Row(
        "MSE, loss",
        "normal, 50 rows",
        batches,
        of_batches(pynet.MSE()),
        lambda m, x, t: ((x - t) ** 2).sum(axis=(1, 2)) / 50,
        (1, 2),
        lambda x, t: ((x - t) ** 2).sum(axis=(1, 2)) / 50,
        lambda torch, x, t: ((x - t) ** 2).sum(dim=(1, 2)) / 50,
    ),
    Row(
        "MSE, gradient",
        "normal, 50 rows",
        batches,
        lambda x, t: pynet.MSE().backward(x[0], t[0]),
        lambda m, x, t: 2 * (x[0] - t[0]) / 50,
        (1.5, 2),
        lambda x, t: 2 * (x[0] - t[0]) / 50,
        lambda torch, x, t: 2 * (x[0] - t[0]) / 50,
    ),
    Row(
        "MSELoss, loss",
        "normal, 50 rows",
        batches,
        of_batches(pynet.MSELoss()),
        lambda m, x, t: ((x - t) ** 2).sum(axis=(1, 2)) / 200,
        (1, 2),
        lambda x, t: ((x - t) ** 2).mean(axis=(1, 2)),
        lambda torch, x, t: ((x - t) ** 2).mean(dim=(1, 2)),
    ),
    Row(
        "MSELoss, gradient",
        "normal, 50 rows",
        batches,
        lambda x, t: pynet.MSELoss().backward(x[0], t[0]),
        lambda m, x, t: (x[0] - t[0]) / 100,
        (1.5, 2),
        lambda x, t: (x[0] - t[0]) / 100,
        lambda torch, x, t: gradient(lambda torch, x, t: torch.nn.functional.mse_loss(x, t))(torch, x[0], None, t[0]),
    ),
    Row(
        "CrossEntropy, loss",
        "p from 1e-8 to 0.9999, one row",
        probabilities,
        lambda p, y: np.array([pynet.CrossEntropy()(p[i : i + 1], y[i : i + 1]) for i in range(len(p))]),
        lambda m, p, y: -m.log(of_label(p, y)),
        (2, 2),
        lambda p, y: -np.log(of_label(p, y)),
        lambda t, p, y: t.nn.functional.nll_loss(t.log(p), y, reduction="none"),
    ),
    Row(
        "CrossEntropy, gradient",
        "p from 1e-8 to 0.9999",
        probabilities,
        lambda p, y: of_label(pynet.CrossEntropy().backward(p, y), y),
        lambda m, p, y: -1 / of_label(p, y) / len(p),
        (1.5, 2),
        lambda p, y: -1 / of_label(p, y) / p.dtype.type(len(p)),
        lambda t, p, y: gradient(lambda t, p: t.nn.functional.nll_loss(t.log(p), y))(t, p, None)[t.arange(len(p)), y],
    ),
]
