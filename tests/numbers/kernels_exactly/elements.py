"""The element-wise kernels."""

import numpy as np

import pynet

from .row import Row, constant, gradient

KEPT = 0.7  # of what Dropout sees
SLOPE = float(np.float32(0.3))


def values(random, size, dtype):
    """Numbers of usual sizes, of all sizes that matter, and the neighbours of 0."""
    mixed = [
        random.uniform(-5, 5, size),
        random.uniform(-100, 100, size),
        np.exp2(random.uniform(-30, 7, size)) * random.choice([-1, 1], size),
        [0.0, -0.0, 1e-40, -1e-40],
    ]
    return (np.concatenate(mixed).astype(dtype),)


def values_and_gradients(random, size, dtype):
    """The same, where no derivative is so small that the result is subnormal."""
    x = np.clip(values(random, size, np.float64)[0], -40, 40).astype(dtype)
    return x, random.normal(size=x.shape).astype(dtype)


def dropped(random, size, dtype):
    x = random.normal(size=size).astype(dtype)
    layer = pynet.Dropout(1 - KEPT, seed=0)
    layer.forward(x)
    return x, layer.mask


def sigmoid(m, x):
    t = m.exp(-np.abs(x))
    return np.where(x >= 0, x * 0 + 1, t) / (1 + t)


def sigmoid_gradient(m, x, g):
    t = m.exp(-np.abs(x))
    return g * t / (1 + t) ** 2


def logistic(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


ELEMENTS = [
    Row(
        "ReLU, forward",
        "all sizes",
        values,
        lambda x: pynet.ReLU()(x),
        lambda m, x: np.where(x > 0, x, x * 0),
        (0, 0),
        lambda x: np.maximum(x, 0),
        lambda t, x: t.relu(x),
    ),
    Row(
        "ReLU, backward",
        "-40 to 40",
        values_and_gradients,
        lambda x, g: pynet.ReLU().backward(x, g),
        lambda m, x, g: np.where(x > 0, g, g * 0),
        (0, 0),
        lambda x, g: np.where(x > 0, g, 0),
        gradient(lambda t, x: t.relu(x)),
    ),
    Row(
        "LeakyReLU, forward",
        "all sizes",
        values,
        lambda x: pynet.LeakyReLU(SLOPE)(x),
        lambda m, x: np.where(x > 0, x, x * constant(m, SLOPE)),
        (0.5, 0.5),
        lambda x: np.where(x > 0, x, x * SLOPE),
        lambda t, x: t.nn.functional.leaky_relu(x, SLOPE),
    ),
    Row(
        "LeakyReLU, backward",
        "-40 to 40",
        values_and_gradients,
        lambda x, g: pynet.LeakyReLU(SLOPE).backward(x, g),
        lambda m, x, g: np.where(x > 0, g, g * constant(m, SLOPE)),
        (0.5, 0.5),
        lambda x, g: np.where(x > 0, g, g * SLOPE),
        gradient(lambda t, x: t.nn.functional.leaky_relu(x, SLOPE)),
    ),
    Row(
        "Sigmoid, forward",
        "all sizes",
        values,
        lambda x: pynet.Sigmoid()(x),
        sigmoid,
        (2, 2),
        logistic,
        lambda t, x: t.sigmoid(x),
    ),
    Row(
        "Sigmoid, backward",
        "-40 to 40",
        values_and_gradients,
        lambda x, g: pynet.Sigmoid().backward(x, g),
        sigmoid_gradient,
        (4, 4),
        lambda x, g: logistic(x) * (1 - logistic(x)) * g,
        gradient(lambda t, x: t.sigmoid(x)),
    ),
    Row(
        "Tanh, forward",
        "all sizes",
        values,
        lambda x: pynet.Tanh()(x),
        lambda m, x: m.tanh(x),
        (2, 2),
        np.tanh,
        lambda t, x: t.tanh(x),
    ),
    Row(
        "Tanh, backward",
        "-40 to 40",
        values_and_gradients,
        lambda x, g: pynet.Tanh().backward(x, g),
        lambda m, x, g: 4 * sigmoid_gradient(m, 2 * x, g),
        (4, 4),
        lambda x, g: (1 - np.tanh(x) ** 2) * g,
        gradient(lambda t, x: t.tanh(x)),
    ),
    Row(
        "Dropout, forward",
        "normal, p = 0.3",
        dropped,
        lambda x, mask: pynet.Dropout(1 - KEPT, seed=0).forward(x),
        lambda m, x, mask: np.where(mask > 0, x / (1 - constant(m, 1 - KEPT)), x * 0),
        (1, 1),
        lambda x, mask: np.where(mask, x / x.dtype.type(KEPT), 0),
        lambda t, x, mask: x * mask / KEPT,
    ),
]
