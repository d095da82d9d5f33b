"""The kernels that work on rows of scores: SoftMax, LogSoftMax, CrossEntropyLoss, at any scale."""

import numpy as np

import pynet

from .row import Row, gradient


def scores(scale, classes):
    def make(random, size, dtype):
        return ((random.normal(size=(max(3, size // classes), classes)) * scale).astype(dtype),)

    return make


def scores_and_gradients(scale, classes):
    def make(random, size, dtype):
        (x,) = scores(scale, classes)(random, size, dtype)
        return x, random.normal(size=x.shape).astype(dtype)

    return make


def scores_and_labels(scale, classes, right):
    def make(random, size, dtype):
        (x,) = scores(scale, classes)(random, size, dtype)
        return x, x.argmax(axis=1) if right else x.argmin(axis=1)

    return make


def row_terms(m, x):
    """The exponentials below the maximum, their sum, and that without the maximum's own, which is 1."""
    z = x - x.max(axis=-1, keepdims=True)
    e = m.exp(z)
    top = np.arange(x.shape[-1]) == np.expand_dims(x.astype(np.float64).argmax(axis=-1), -1)
    others = np.where(top, e * 0, e).sum(axis=-1, keepdims=True)
    return z, e, 1 + others, others, top


def softmax(m, x):
    _, e, total, _, _ = row_terms(m, x)
    return e / total


def log_softmax(m, x):
    z, _, _, others, _ = row_terms(m, x)
    return z - m.log1p(others)


def softmax_gradient(m, x, g):
    p = softmax(m, x)
    return p * (g - (p * g).sum(axis=-1, keepdims=True))


def softmax_gradient_scale(m, x, g):
    """|p g| + p Σ|p g|, where what is subnormal has no more digits than the smallest normal number."""
    p = softmax(m, x)
    return np.maximum(p, m.tiny) * (np.abs(g) + np.abs(p * g).sum(axis=-1, keepdims=True)) + m.tiny


def log_softmax_gradient(m, x, g):
    return g - softmax(m, x) * g.sum(axis=-1, keepdims=True)


def log_softmax_gradient_scale(m, x, g):
    return np.abs(g) + softmax(m, x) * np.abs(g).sum(axis=-1, keepdims=True)


def label_loss(m, x, labels):
    return -np.take_along_axis(log_softmax(m, x), labels[:, None], axis=1)[:, 0]


def label_gradient(m, x, labels):
    """p - 1 at the label, and where that is the largest, minus the others' share, which does not cancel."""
    _, e, total, others, top = row_terms(m, x)
    at_label = np.arange(x.shape[1]) == labels[:, None]
    p = e / total
    return np.where(at_label, np.where(top, -others / total, p - 1), p)


def naive_softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def naive_log_softmax(x):
    z = x - x.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def naive_label_gradient(x, labels):
    return naive_softmax(x) - np.eye(x.shape[1], dtype=x.dtype)[labels]


def of_label(rows, labels):
    return np.take_along_axis(rows, labels[:, None], axis=1)[:, 0]


def losses_of_rows():
    return pynet.CrossEntropyLoss(reduction="none")


def rows_at(scale, classes):
    """SoftMax, LogSoftMax and CrossEntropyLoss at one scale and number of classes."""
    inputs = f"scale {scale:g}"
    both = [
        Row(
            f"CrossEntropyLoss, {'right' if right else 'wrong'} class, {what}",
            inputs,
            scores_and_labels(scale, classes, right),
            ours,
            exact,
            (3, limit),
            numpy,
            torch,
        )
        for right in (True, False)
        for what, ours, exact, limit, numpy, torch in [
            (
                "loss",
                lambda x, y: losses_of_rows()(x, y),
                label_loss,
                3,
                lambda x, y: -of_label(naive_log_softmax(x), y),
                lambda t, x, y: t.nn.functional.cross_entropy(x, y, reduction="none"),
            ),
            (
                "gradient",
                lambda x, y: losses_of_rows().backward(x, y),
                label_gradient,
                4,
                naive_label_gradient,
                lambda t, x, y: gradient(lambda t, x: t.nn.functional.cross_entropy(x, y, reduction="sum"))(t, x, None),
            ),
        ]
    ]
    return [
        Row(
            "SoftMax, forward",
            inputs,
            scores(scale, classes),
            lambda x: pynet.SoftMax()(x),
            softmax,
            (3, 4),
            naive_softmax,
            lambda t, x: t.softmax(x, -1),
        ),
        Row(
            "SoftMax, backward",
            inputs,
            scores_and_gradients(scale, classes),
            lambda x, g: pynet.SoftMax().backward(x, g),
            softmax_gradient,
            (3, 8),
            lambda x, g: naive_softmax(x) * (g - (naive_softmax(x) * g).sum(axis=-1, keepdims=True)),
            gradient(lambda t, x: t.softmax(x, -1)),
            softmax_gradient_scale,
            "u (|p g| + p Σ|p g|)",
        ),
        Row(
            "LogSoftMax, forward",
            inputs,
            scores(scale, classes),
            lambda x: pynet.LogSoftMax()(x),
            log_softmax,
            (3, 3),
            naive_log_softmax,
            lambda t, x: t.log_softmax(x, -1),
        ),
        Row(
            "LogSoftMax, backward",
            inputs,
            scores_and_gradients(scale, classes),
            lambda x, g: pynet.LogSoftMax().backward(x, g),
            log_softmax_gradient,
            (4, 4),
            lambda x, g: g - naive_softmax(x) * g.sum(axis=-1, keepdims=True),
            gradient(lambda t, x: t.log_softmax(x, -1)),
            log_softmax_gradient_scale,
            "u (|g| + p Σ|g|)",
        ),
        *both,
    ]


SCORES = [row for scale in (1e-3, 1, 30, 1e4) for classes in (2, 10, 101, 1000) for row in rows_at(scale, classes)]
