"""The one table of modules and criteria: most tests are a function over its rows."""

import math
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from formulas_of_losses import LOSSES, REDUCTIONS, reduced

import pynet


class Case(NamedTuple):
    """How to make it, an input shape, the same thing in NumPy, the mode, and input shapes that it refuses."""

    make: Callable[[], Any]
    shape: tuple[int, ...]
    reference: Callable[..., Any]
    training: bool = True
    refuses: tuple[tuple[int, ...], ...] = ()
    takes_indices: bool = False
    scale: float = 1.0

    def module(self, dtype=np.float64):
        """A module with parameters that are not what they were at the start."""
        np.random.seed(0)
        module = self.make().train(self.training).astype(dtype)
        for _, array in module.named_parameters() + module.named_buffers():
            if array.dtype.kind == "f":
                array[...] = np.random.uniform(0.5, 1.5, array.shape) * np.sign(array + (array == 0))
        return module

    def input(self, dtype=np.float64):
        """Numbers away from the kinks at 0, up to twice the scale; indices from 0 to 2."""
        random = np.random.default_rng(1)
        if self.takes_indices:
            return random.integers(0, 3, self.shape).astype(dtype)
        x = random.uniform(0.1, 2, self.shape) * random.choice([-1, 1], self.shape)
        return (self.scale * x).astype(dtype)


def variants(make, options, shapes, reference, modes=(True,), refuses=(), takes_indices=False, scale=1.0):
    """A row for each of the options, shapes and modes."""
    return [
        Case(partial(make, *arguments), shape, reference, training, refuses, takes_indices, scale)
        for arguments, shape, training in product(options, shapes, modes)
    ]


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def linear(m, x):
    y = x @ m.W.T
    return y if m.b is None else y + m.b


def per_channel(array, x):
    return array.reshape(-1, *[1] * (x.ndim - 2))


def batch_norm(m, x):
    axes = (0, *range(2, x.ndim))
    mean, variance = (x.mean(axis=axes), x.var(axis=axes)) if m.training else (m.running_mean, m.running_var)
    y = (x - per_channel(mean, x)) / np.sqrt(per_channel(variance, x) + m.eps)
    return y if m.weight is None else y * per_channel(m.weight, x) + per_channel(m.bias, x)


def normalised(x, axes, eps, centred=True):
    mean = x.mean(axis=axes, keepdims=True) if centred else 0
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=axes, keepdims=True) + eps)


def layer_norm(m, x):
    y = normalised(x, tuple(range(-len(m.normalized_shape), 0)), m.eps)
    y = y if m.weight is None else y * m.weight
    return y if m.bias is None else y + m.bias


def rms_norm(m, x):
    eps = np.finfo(np.float64 if m.weight is None else m.weight.dtype).eps if m.eps is None else m.eps
    y = normalised(x, tuple(range(-len(m.normalized_shape), 0)), eps, centred=False)
    return y if m.weight is None else y * m.weight


def group_norm(m, x):
    y = normalised(x.reshape(len(x), m.num_groups, -1), -1, m.eps).reshape(x.shape)
    return y if m.weight is None else y * per_channel(m.weight, x) + per_channel(m.bias, x)


def of_a_table():
    codes = pynet.Sequential(pynet.Columns([0, 2]), pynet.Embedding(10, 3), pynet.Flatten())
    return pynet.Sequential(pynet.Parallel(codes, pynet.Columns(slice(1, 2)), merge="cat"), pynet.Linear(7, 2))


def embedded_table(m, x):
    codes = m[0][0][1].weight[x[:, [0, 2]].astype(int)].reshape(len(x), -1)
    return m[1].forward(np.hstack([codes, x[:, 1:2]]))


def one_after_another(m, x):
    for layer in m:
        x = layer.forward(x)
    return x


def elu(x, alpha=1.0, scale=1.0):
    return scale * np.where(x > 0, x, alpha * (np.exp(x) - 1))


def gelu(m, x):
    u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    cdf = (1 + np.tanh(u)) / 2 if m.approximate == "tanh" else np.vectorize(math.erfc)(-x / np.sqrt(2)) / 2
    return x * cdf


def softplus(x, beta=1.0, threshold=20.0):
    return np.where(beta * x > threshold, x, np.log(1 + np.exp(beta * x)) / beta)


def prelu(m, x):
    return np.where(x > 0, x, (m.weight if len(m.weight) == 1 else per_channel(m.weight, x)) * x)


def sine():
    return pynet.Activation(np.sin, np.cos)


def network():
    inner = pynet.Sequential(pynet.Tanh(), pynet.Linear(6, 3))
    return pynet.Sequential(pynet.Linear(4, 6), pynet.BatchNorm(6), inner, pynet.SoftMax())


def network_with_kinks():
    inner = pynet.Sequential(pynet.Tanh(), pynet.LeakyReLU(0.2), pynet.Dropout(0.3))
    return pynet.Sequential(pynet.Flatten(), pynet.Linear(8, 5, False), pynet.ReLU(), inner, pynet.LogSoftMax())


def residual():
    return pynet.Residual(pynet.Linear(4, 6), pynet.Tanh(), pynet.Linear(6, 4))


def residual_with_norm():
    return pynet.Residual(pynet.Linear(4, 4), pynet.BatchNorm(4), pynet.Residual(pynet.Sigmoid(), pynet.Linear(4, 4)))


def parallel(merge, *widths):
    last = pynet.Sequential(pynet.Tanh(), pynet.Linear(4, widths[-1]))
    return pynet.Parallel(*(pynet.Linear(4, width) for width in widths[:-1]), last, merge=merge)


def standing_twice():
    linear = pynet.Linear(4, 4)
    return pynet.Parallel(linear, pynet.Residual(pynet.Dropout(0.4), linear, pynet.Tanh(), linear), linear)


def with_input_added(m, x):
    return x + one_after_another(m, x)


def side_by_side(m, x):
    outputs = [layer.forward(x) for layer in m]
    return np.concatenate(outputs, axis=-1) if m.merge == "cat" else sum(outputs)


ONCE, BOTH = ((),), (True, False)
NO_ROWS = ((), (4,))  # too few axes for a batch of rows

# Sizes 1, an axis of length 1 in every place, and lengths on both sides of a vector's.
ANY = [(5, 4), (7,), (1, 1), (3, 1, 2), (2, 3, 9), (2, 37)]
SOME = [(5, 4), (2, 37)]
OF_4 = [(5, 4), (1, 4), (5, 2, 4), (2, 1, 3, 4)]
CLASSES = [(5, 4), (7,), (1, 1), (3, 1), (2, 3, 40)]
CHANNELS = [(5, 3), (2, 3, 1), (5, 3, 2), (1, 3, 2, 4), (2, 3, 2, 2), (2, 3, 1, 2, 3)]
GROUPS = [(5, 6), (2, 6, 3), (2, 6, 2, 2), (1, 6, 1)]
IMAGES = [(5, 2, 4), (1, 3, 2), (3, 2, 1, 2)]

MODULES = [
    *variants(pynet.Linear, [(4, 3), (4, 3, False)], OF_4, linear, refuses=(*NO_ROWS, (5, 3), (5, 4, 5))),
    *variants(pynet.Linear, [(1, 1), (1, 5), (1, 1, False)], [(1, 1), (5, 1)], linear),
    *variants(pynet.Linear, [(17, 9)], [(10, 17)], linear),
    *variants(pynet.ReLU, ONCE, ANY, lambda m, x: np.where(x > 0, x, 0)),
    *variants(pynet.LeakyReLU, ONCE, ANY, lambda m, x: np.where(x > 0, x, 0.03 * x)),
    *variants(pynet.LeakyReLU, [(-2.0,), (0.0,), (1.0,), (2,)], ANY[:2], lambda m, x: np.where(x > 0, x, m.slope * x)),
    *variants(pynet.Sigmoid, ONCE, ANY, lambda m, x: 1 / (1 + np.exp(-x))),
    *variants(pynet.Tanh, ONCE, ANY, lambda m, x: np.tanh(x)),
    *variants(pynet.ELU, [(), (0.5,)], SOME, lambda m, x: elu(x, m.alpha)),
    *variants(pynet.SELU, ONCE, SOME, lambda m, x: elu(x, 1.6732632423543772, 1.0507009873554805)),
    *variants(pynet.GELU, [(), ("tanh",)], SOME, gelu),
    *variants(pynet.SiLU, ONCE, SOME, lambda m, x: x / (1 + np.exp(-x))),
    *variants(pynet.Mish, ONCE, SOME, lambda m, x: x * np.tanh(softplus(x))),
    *variants(pynet.Softplus, [(), (2.0, 1.0)], SOME, lambda m, x: softplus(x, m.beta, m.threshold)),
    *variants(pynet.Softsign, ONCE, SOME, lambda m, x: x / (1 + np.abs(x))),
    *variants(pynet.Hardtanh, [(), (-0.5, 3)], SOME, lambda m, x: np.clip(x, m.min_val, m.max_val)),
    *variants(pynet.ReLU6, ONCE, SOME, lambda m, x: np.clip(x, 0, 6), scale=4.0),
    *variants(pynet.Hardsigmoid, ONCE, SOME, lambda m, x: np.clip(x / 6 + 0.5, 0, 1), scale=2.0),
    *variants(pynet.Hardswish, ONCE, SOME, lambda m, x: x * np.clip(x / 6 + 0.5, 0, 1), scale=2.0),
    *variants(pynet.LogSigmoid, ONCE, SOME, lambda m, x: np.log(1 / (1 + np.exp(-x)))),
    *variants(sine, ONCE, SOME, lambda m, x: np.sin(x)),
    *variants(pynet.PReLU, ONCE, SOME, prelu),
    *variants(pynet.PReLU, [(3,)], CHANNELS[:4], prelu, refuses=(*NO_ROWS, (5, 4), (3, 5, 4))),
    *variants(pynet.SoftMax, ONCE, CLASSES, lambda m, x: softmax(x), refuses=((),)),
    *variants(pynet.LogSoftMax, ONCE, CLASSES, lambda m, x: np.log(softmax(x)), refuses=((),)),
    *variants(
        pynet.Dropout, [(0.3,), (0,)], [(5, 40), (7,), (2, 1, 3)], lambda m, x: np.where(m.mask, x / (1 - m.p), 0)
    ),
    *variants(pynet.Dropout, ONCE, ANY[:3], lambda m, x: x, modes=(False,)),
    *variants(pynet.Flatten, ONCE, IMAGES, lambda m, x: x.reshape(len(x), -1), refuses=NO_ROWS),
    *variants(pynet.Flatten, [(0, -2)], IMAGES, lambda m, x: x.reshape(-1, x.shape[-1]), refuses=NO_ROWS),
    *variants(pynet.Flatten, [(0, -1), (0, 3)], IMAGES[-1:], lambda m, x: x.ravel()),
    *variants(pynet.Flatten, [(1, 1), (-1,)], IMAGES, lambda m, x: x),
    *variants(pynet.Identity, ONCE, ANY, lambda m, x: x),
    *variants(pynet.BatchNorm, [(3,)], CHANNELS, batch_norm, BOTH, refuses=(*NO_ROWS, (5, 4), (3, 5, 4))),
    *variants(pynet.BatchNorm, [(3, 0.1, 0.3, False), (3, 0.1, 1, True)], CHANNELS[:3], batch_norm, BOTH),
    *variants(pynet.Sequential, ONCE, ANY[:3], lambda m, x: x),
    *variants(
        pynet.LayerNorm, [(4, 0.1), ((4,), 0.1, True, False), (4, 0.1, False)], OF_4, layer_norm, refuses=((), (5, 3))
    ),
    *variants(pynet.LayerNorm, [((2, 3), 0.1)], [(5, 2, 3), (2, 1, 2, 3)], layer_norm, refuses=((3,), (5, 3, 2))),
    *variants(pynet.RMSNorm, [(4,), (4, 0.1, False), (4, None, False)], OF_4, rms_norm, refuses=((), (5, 3))),
    *variants(
        pynet.GroupNorm, [(1, 6, 0.1), (2, 6, 0.1), (3, 6, 0.1, False)], GROUPS, group_norm, refuses=(*NO_ROWS, (5, 4))
    ),
    *variants(pynet.GroupNorm, [(6, 6, 0.1)], GROUPS[1:2], group_norm),
    *variants(
        pynet.Unflatten,
        [(1, (2, -1))],
        [(5, 4), (3, 2, 3)],
        lambda m, x: x.reshape(len(x), 2, -1, *x.shape[2:]),
        refuses=((4,), (5, 3)),
    ),
    *variants(pynet.Unflatten, [(-1, (2, 2))], OF_4, lambda m, x: x.reshape(*x.shape[:-1], 2, 2), refuses=((), (5, 8))),
    *variants(
        pynet.Reshape, [(2, -1), (-1, 4, 1)], IMAGES[:1], lambda m, x: x.reshape(len(x), *m.shape), refuses=((), (5, 3))
    ),
    *variants(
        pynet.Columns, [([2, 0, 2],), ((-1,),)], [(5, 3)], lambda m, x: x[:, m.columns], refuses=((3,), (5, 3, 1))
    ),
    *variants(
        pynet.Columns,
        [(slice(1, None),), (slice(None, None, -2),)],
        [(5, 3)],
        lambda m, x: x[:, m.columns],
        refuses=((3,), (5, 3, 1)),
    ),
    *variants(
        pynet.Embedding,
        [(10, 3), (7, 1)],
        [(5,), (5, 4), (2, 3, 1)],
        lambda m, x: m.weight[x.astype(int)],
        takes_indices=True,
    ),
    *variants(pynet.Residual, ONCE, ANY[:3], lambda m, x: 2 * x),
    *variants(residual, ONCE, OF_4, with_input_added, refuses=(*NO_ROWS, (5, 3))),
    *variants(residual_with_norm, ONCE, OF_4[:1], with_input_added, BOTH, refuses=NO_ROWS),
    *variants(
        parallel, [("sum", 3), ("sum", 3, 3), ("cat", 2, 1, 3)], OF_4[:3], side_by_side, refuses=(*NO_ROWS, (5, 3))
    ),
    *variants(standing_twice, ONCE, OF_4[:1], side_by_side, refuses=NO_ROWS),
    *variants(network, ONCE, OF_4[:1], one_after_another, BOTH, refuses=NO_ROWS),
    *variants(network_with_kinks, ONCE, [(5, 8), (5, 2, 4)], one_after_another, BOTH),
    *variants(of_a_table, ONCE, [(5, 3)], embedded_table, takes_indices=True),
]

# Those that a file can keep: functions it cannot.
SAVEABLE = [case for case in MODULES if case.make.func is not sine]

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

TARGETS = (LABELS, _some_ignored, ONE_HOT, SOFT)
PAIRS = [(_scores, _values), (_scores[:, 0].copy(), _values[:, 0].copy()), (_scores[:1], _values[:1])]

CRITERIA = [
    *(Loss(pynet.MSE, x, t, lambda c, x, t: np.sum((x - t) ** 2) / len(x)) for x, t in PAIRS),
    *(
        Loss(partial(pynet.MSELoss, reduction), x, t, lambda c, x, t: reduced(c, (x - t) ** 2))
        for reduction, (x, t) in product(REDUCTIONS, PAIRS)
    ),
    *(Loss(pynet.CrossEntropy, _probabilities, target, cross_entropy) for target in (LABELS, ONE_HOT, SOFT)),
    *(
        Loss(partial(pynet.CrossEntropyLoss, weight, -100, reduction, smoothing), _scores, target, cross_entropy_loss)
        for weight, smoothing, reduction, target in product((None, _weight), (0.0, 0.2), REDUCTIONS, TARGETS)
    ),
    *(Loss(*row) for row in LOSSES),
]


def name_of(case):
    """A row's name in pytest's output."""
    if isinstance(case, Loss):
        return f"{case.make()!r}-{case.target.dtype}{case.target.shape}"
    return f"{case.make()!r:.40}-{case.shape}-{'train' if case.training else 'eval'}".replace("\n", "")
