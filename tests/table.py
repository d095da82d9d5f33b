"""The one table of modules and criteria: most tests are a function over its rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import pynet


class Case(NamedTuple):
    """How to make it, an input shape, and the same thing in NumPy."""

    make: Callable[[], Any]
    shape: tuple[int, ...]
    reference: Callable[..., Any]
    training: bool = True

    def module(self, dtype=np.float64):
        """A module with parameters that are not what they were at the start."""
        np.random.seed(0)
        module = self.make().train(self.training).astype(dtype)
        for _, array in module.named_parameters() + module.named_buffers():
            if array.dtype.kind == "f":
                array[...] = np.random.uniform(0.5, 1.5, array.shape) * np.sign(array + (array == 0))
        return module

    def input(self, dtype=np.float64):
        """Numbers away from the kinks at 0."""
        random = np.random.default_rng(1)
        return (random.uniform(0.1, 2, self.shape) * random.choice([-1, 1], self.shape)).astype(dtype)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def per_channel(array, x):
    return array.reshape(-1, *[1] * (x.ndim - 2))


def batch_norm(m, x, mean, variance):
    y = (x - per_channel(mean, x)) / np.sqrt(per_channel(variance, x) + m.eps)
    return y if m.weight is None else y * per_channel(m.weight, x) + per_channel(m.bias, x)


def batch_norm_training(m, x):
    axes = (0, *range(2, x.ndim))
    return batch_norm(m, x, x.mean(axis=axes), x.var(axis=axes))


def batch_norm_evaluation(m, x):
    return batch_norm(m, x, m.running_mean, m.running_var)


def one_after_another(m, x):
    for layer in m:
        x = layer.forward(x)
    return x


MODULES = [
    Case(lambda: pynet.Linear(4, 3), (5, 4), lambda m, x: x @ m.W.T + m.b),
    Case(lambda: pynet.Linear(4, 3, bias=False), (5, 4), lambda m, x: x @ m.W.T),
    Case(lambda: pynet.Linear(4, 3), (5, 2, 4), lambda m, x: x @ m.W.T + m.b),
    Case(lambda: pynet.Linear(1, 1), (1, 1), lambda m, x: x @ m.W.T + m.b),
    Case(lambda: pynet.ReLU(), (5, 4), lambda m, x: np.where(x > 0, x, 0)),
    Case(lambda: pynet.ReLU(), (3,), lambda m, x: np.where(x > 0, x, 0)),
    Case(lambda: pynet.LeakyReLU(), (5, 4), lambda m, x: np.where(x > 0, x, 0.03 * x)),
    Case(lambda: pynet.LeakyReLU(-2.0), (2, 3, 4), lambda m, x: np.where(x > 0, x, -2 * x)),
    Case(lambda: pynet.Sigmoid(), (5, 4), lambda m, x: 1 / (1 + np.exp(-x))),
    Case(lambda: pynet.Tanh(), (5, 4), lambda m, x: np.tanh(x)),
    Case(lambda: pynet.SoftMax(), (5, 4), lambda m, x: softmax(x)),
    Case(lambda: pynet.SoftMax(), (2, 3, 40), lambda m, x: softmax(x)),
    Case(lambda: pynet.LogSoftMax(), (5, 4), lambda m, x: np.log(softmax(x))),
    Case(lambda: pynet.LogSoftMax(), (7,), lambda m, x: np.log(softmax(x))),
    Case(lambda: pynet.Dropout(0.3), (5, 40), lambda m, x: np.where(m.mask, x / 0.7, 0)),
    Case(lambda: pynet.Dropout(), (5, 4), lambda m, x: x, training=False),
    Case(lambda: pynet.Flatten(), (5, 2, 4), lambda m, x: x.reshape(5, 8)),
    Case(lambda: pynet.Flatten(0, -2), (5, 2, 4), lambda m, x: x.reshape(10, 4)),
    Case(lambda: pynet.Identity(), (5, 4), lambda m, x: x),
    Case(lambda: pynet.BatchNorm(4), (5, 4), batch_norm_training),
    Case(lambda: pynet.BatchNorm(3, eps=0.1, affine=False), (5, 3, 2), batch_norm_training),
    Case(lambda: pynet.BatchNorm(3), (2, 3, 2, 2), batch_norm_training),
    Case(lambda: pynet.BatchNorm(4), (5, 4), batch_norm_evaluation, training=False),
    Case(lambda: pynet.BatchNorm(3, affine=False), (5, 3, 2), batch_norm_evaluation, training=False),
    Case(lambda: pynet.Sequential(), (5, 4), lambda m, x: x),
    Case(
        lambda: pynet.Sequential(
            pynet.Linear(4, 6), pynet.BatchNorm(6), pynet.Sequential(pynet.Tanh(), pynet.Linear(6, 3)), pynet.SoftMax()
        ),
        (5, 4),
        one_after_another,
    ),
]

LABELS = np.array([0, 2, 1, 2, 0])
ONE_HOT = np.eye(3)[LABELS]
SOFT = np.random.default_rng(2).dirichlet([1, 1, 1], 5)


class Loss(NamedTuple):
    """How to make a criterion, an input, a target, and the same thing in NumPy."""

    make: Callable[[], Any]
    input: np.ndarray
    target: np.ndarray
    reference: Callable[..., Any]


def cross_entropy(c, x, t):
    t = np.eye(x.shape[1])[t] if t.ndim == 1 else t
    return -np.sum(t * np.log(np.clip(x, 1e-9, 1 - 1e-9))) / len(x)


def cross_entropy_loss(c, x, t):
    """One row at a time, as the formula says."""
    classes = x.shape[1]
    weight = np.ones(classes) if c.weight is None else c.weight
    losses, counts = [], []
    for row, target in zip(x, t, strict=True):
        ignored = t.ndim == 1 and target == c.ignore_index
        p = np.eye(classes)[target] if t.ndim == 1 and not ignored else target * np.ones(classes)
        a = weight * ((1 - c.label_smoothing) * p + c.label_smoothing / classes)
        losses.append(0.0 if ignored else -np.sum(a * np.log(softmax(row))))
        counts.append(0.0 if ignored else weight[target] if t.ndim == 1 else 1.0)
    total = np.sum(losses)
    return {"none": np.array(losses), "sum": total, "mean": total / np.sum(counts)}[c.reduction]


_random = np.random.default_rng(3)
_scores, _values = _random.normal(size=(5, 3)), _random.normal(size=(5, 3))
_probabilities = _random.uniform(0.1, 0.9, (5, 3))
_some_ignored = np.array([0, -100, 1, 2, -100])
_weight = np.array([0.5, 2.0, 1.0])

CRITERIA = [
    Loss(lambda: pynet.MSE(), _scores, _values, lambda c, x, t: np.sum((x - t) ** 2) / len(x)),
    Loss(lambda: pynet.MSE(), _scores[:, 0], _values[:, 0], lambda c, x, t: np.sum((x - t) ** 2) / len(x)),
    Loss(lambda: pynet.MSELoss(), _scores, _values, lambda c, x, t: np.mean((x - t) ** 2)),
    Loss(lambda: pynet.MSELoss("sum"), _scores, _values, lambda c, x, t: np.sum((x - t) ** 2)),
    Loss(lambda: pynet.MSELoss("none"), _scores, _values, lambda c, x, t: (x - t) ** 2),
    Loss(lambda: pynet.CrossEntropy(), _probabilities, ONE_HOT, cross_entropy),
    Loss(lambda: pynet.CrossEntropy(), _probabilities, LABELS, cross_entropy),
    Loss(lambda: pynet.CrossEntropy(), _probabilities, SOFT, cross_entropy),
    *(
        Loss(
            lambda weight=weight, smoothing=smoothing, reduction=reduction: pynet.CrossEntropyLoss(
                weight, reduction=reduction, label_smoothing=smoothing
            ),
            _scores,
            target,
            cross_entropy_loss,
        )
        for weight in (None, _weight)
        for smoothing in (0.0, 0.2)
        for reduction in ("mean", "sum", "none")
        for target in (LABELS, _some_ignored, ONE_HOT, SOFT)
    ),
]


def name_of(case):
    """A row's name in pytest's output."""
    if isinstance(case, Loss):
        return f"{case.make()!r}-{case.target.dtype}{case.target.shape}"
    return f"{case.make()!r:.40}-{case.shape}-{'train' if case.training else 'eval'}".replace("\n", "")
