"""The criteria that compare numbers with their targets: the losses of single numbers, and their gradients."""

import numpy as np

import pynet

from .row import Row, gradient


def scores(scale, right):
    """Scores, and answers that agree with their sign or do not."""

    def make(random, size, dtype):
        x = (random.normal(size=size) * scale).astype(dtype)
        return x, ((x > 0) == right).astype(dtype)

    return make


def chances(random, size, dtype):
    """Probabilities that come near 0 and 1, and probabilities to compare them with."""
    p = np.exp2(random.uniform(-30, 0, size)).astype(dtype)
    p = np.where(random.integers(2, size=size), p, 1 - p).clip(1e-9, 1 - np.finfo(dtype).epsneg)
    return p.astype(dtype), random.uniform(0, 1, size).astype(dtype)


def normal(random, size, dtype):
    return tuple(random.normal(size=(2, size)).astype(dtype))


def _of_scores(m, x, t):
    """-log sigmoid of x for yes, of -x for no."""
    right = np.where(t.astype(np.float64) > 0.5, x, -x)
    lost = m.log1p(m.exp(-np.abs(x)))
    return np.where(right.astype(np.float64) > 0, lost, lost - right)


def _gradient_of_scores(m, x, t):
    right = np.where(t.astype(np.float64) > 0.5, x, -x)
    e = m.exp(-np.abs(x))
    wrong = np.where(right.astype(np.float64) > 0, e, x * 0 + 1) / (1 + e)
    return np.where(t.astype(np.float64) > 0.5, -wrong, wrong)


def _bce(m, p, t):
    return -t * m.log(p) - (1 - t) * m.log1p(-p)


def _huber(m, x, t):
    e = np.abs(x - t)
    return np.where((e < 1).astype(bool), e * e / 2, e - 0.5)


def _torch_bce_with_logits(torch, x, t):
    return torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none")


LOSSES = [
    row
    for scale, right in ((1, True), (1, False), (30, True), (30, False))
    for kind in (f"{'right' if right else 'wrong'} answer, scale {scale}",)
    for row in (
        Row(
            "BCEWithLogitsLoss, loss",
            kind,
            scores(scale, right),
            lambda x, t: pynet.BCEWithLogitsLoss("none")(x, t),
            _of_scores,
            (3, 3),
            lambda x, t: np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))),
            _torch_bce_with_logits,
        ),
        Row(
            "BCEWithLogitsLoss, gradient",
            kind,
            scores(scale, right),
            lambda x, t: pynet.BCEWithLogitsLoss("sum").backward(x, t),
            _gradient_of_scores,
            (3, 3),
            lambda x, t: 1 / (1 + np.exp(-x)) - t,
            lambda torch, x, t: gradient(lambda torch, x: _torch_bce_with_logits(torch, x, t).sum())(torch, x, None),
        ),
    )
] + [
    Row(
        "BCELoss, loss",
        "p from 1e-9 to near 1, any target",
        chances,
        lambda p, t: pynet.BCELoss("none")(p, t),
        _bce,
        (3, 3),
        lambda p, t: -t * np.log(p) - (1 - t) * np.log1p(-p),
        lambda torch, p, t: torch.nn.functional.binary_cross_entropy(p, t, reduction="none"),
    ),
    Row(
        "HuberLoss, loss",
        "normal",
        normal,
        lambda x, t: pynet.HuberLoss("none")(x, t),
        _huber,
        (1, 4),
        lambda x, t: np.where(np.abs(x - t) < 1, (x - t) ** 2 / 2, np.abs(x - t) - x.dtype.type(0.5)),
        lambda torch, x, t: torch.nn.functional.huber_loss(x, t, reduction="none"),
    ),
]
