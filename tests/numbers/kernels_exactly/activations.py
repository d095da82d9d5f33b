"""The activations whose formulas are no more than a line each: forward and backward from one description."""

import numpy as np

import pynet

from . import elements
from .elements import values
from .row import AS_WRITTEN, TERMS, constant, gradient, row_of_terms


def both(layer, value, terms, theirs, limits=(4, 4), of_gradients=(5, 5), of_terms=False, in_numpy=True, far=(40, 40)):
    """A row for forward and one for backward: `terms` are what the derivative is the sum of.

    So far from 0, in float32 and in float64, it is not yet so small that it is subnormal. It is measured in units
    `of_terms` where they can cancel.
    """

    def values_and_gradients(random, size, dtype):
        x, g = elements.values_and_gradients(random, size, dtype)
        return np.clip(x, *(np.array([-1, 1]) * far[dtype == np.float64]).astype(dtype)), g

    name = repr(layer).removesuffix("()")
    forward = row_of_terms(
        f"{name}, forward",
        "all sizes",
        values,
        layer,
        lambda m, x: (value(m, x),),
        limits,
        theirs,
        in_numpy=in_numpy,
    )
    backward = row_of_terms(
        f"{name}, backward",
        " and ".join(f"-{each} to {each}" for each in dict.fromkeys(far)),
        values_and_gradients,
        layer.backward,
        lambda m, x, g: [term * g for term in terms(m, x)],
        of_gradients,
        gradient(theirs),
        TERMS if of_terms else "ULP",
        in_numpy,
    )
    return [forward, backward]


def sigmoid(m, x):
    return 1 / (1 + m.exp(-x)) if m is AS_WRITTEN else elements.sigmoid(m, x)


def normal_below(m, x):
    return m.erfc(-x / m.sqrt(constant(m, 2.0))) / 2


def density(m, x):
    return m.exp(-x * x / 2) / m.sqrt(2 * m.pi)


def gelu_argument(m, x):
    return 2 * m.sqrt(2 / m.pi) * (x + x**3 * 44715 / 1000000)


def gelu_tanh_terms(m, x):
    s, rest = sigmoid(m, gelu_argument(m, x)), sigmoid(m, -gelu_argument(m, x))
    return s, s * rest * x * 2 * m.sqrt(2 / m.pi) * (1 + x**2 * 134145 / 1000000)


def mish_terms(m, x):
    t = m.tanh(m.log1p(m.exp(x)))
    w = m.exp(x) * (m.exp(x) + 2)
    return t, x * 4 * (w + 1) / (w + 2) ** 2 * sigmoid(m, x)


SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772

ACTIVATIONS = [
    *both(
        pynet.ELU(),
        lambda m, x: np.where(x > 0, x, m.expm1(x)),
        lambda m, x: (np.where(x > 0, x * 0 + 1, m.exp(x)),),
        lambda t, x: t.nn.functional.elu(x),
        (2, 2),
        (3, 3),
    ),
    *both(
        pynet.SELU(),
        lambda m, x: constant(m, SCALE) * np.where(x > 0, x, constant(m, ALPHA) * m.expm1(x)),
        lambda m, x: (constant(m, SCALE) * np.where(x > 0, x * 0 + 1, constant(m, ALPHA) * m.exp(x)),),
        lambda t, x: t.nn.functional.selu(x),
        (3, 3),
        (4, 4),
    ),
    *both(
        pynet.GELU(),
        lambda m, x: x * normal_below(m, x),
        lambda m, x: (normal_below(m, x), x * density(m, x)),
        lambda t, x: t.nn.functional.gelu(x),
        (5, 5),
        in_numpy=False,
        far=(12, 36),
        of_gradients=(8, 8),
        of_terms=True,
    ),
    *both(
        pynet.GELU("tanh"),
        lambda m, x: x * sigmoid(m, gelu_argument(m, x)),
        gelu_tanh_terms,
        lambda t, x: t.nn.functional.gelu(x, approximate="tanh"),
        far=(9, 20),
        of_gradients=(8, 8),
        of_terms=True,
    ),
    *both(
        pynet.SiLU(),
        lambda m, x: x * sigmoid(m, x),
        lambda m, x: (sigmoid(m, x), x * sigmoid(m, x) * sigmoid(m, -x)),
        lambda t, x: t.nn.functional.silu(x),
        of_gradients=(8, 8),
        of_terms=True,
    ),
    *both(
        pynet.Mish(),
        lambda m, x: x * m.tanh(m.log1p(m.exp(x))),
        mish_terms,
        lambda t, x: t.nn.functional.mish(x),
        of_gradients=(8, 8),
        of_terms=True,
    ),
    *both(
        pynet.Softplus(),
        lambda m, x: np.where(x > 20, x, m.log1p(m.exp(x))),
        lambda m, x: (np.where(x > 20, x * 0 + 1, sigmoid(m, x)),),
        lambda t, x: t.nn.functional.softplus(x),
        (3, 3),
    ),
    *both(
        pynet.Softplus(0.375),
        lambda m, x: np.where(x * 0.375 > 20, x, m.log1p(m.exp(x * 0.375)) / 0.375),
        lambda m, x: (np.where(x * 0.375 > 20, x * 0 + 1, sigmoid(m, x * 0.375)),),
        lambda t, x: t.nn.functional.softplus(x, 0.375),
        (3, 3),
    ),
    *both(
        pynet.Softsign(),
        lambda m, x: x / (1 + np.abs(x)),
        lambda m, x: (1 / (1 + np.abs(x)) ** 2,),
        lambda t, x: t.nn.functional.softsign(x),
        (2, 2),
    ),
    *both(
        pynet.Hardtanh(-1, 2),
        lambda m, x: np.clip(x, -1, 2),
        lambda m, x: (np.where((x > -1) & (x < 2), x * 0 + 1, x * 0),),
        lambda t, x: t.nn.functional.hardtanh(x, -1, 2),
        (0, 0),
        (0, 0),
    ),
    *both(
        pynet.ReLU6(),
        lambda m, x: np.clip(x, 0, 6),
        lambda m, x: (np.where((x > 0) & (x < 6), x * 0 + 1, x * 0),),
        lambda t, x: t.nn.functional.relu6(x),
        (0, 0),
        (0, 0),
    ),
    *both(
        pynet.Hardsigmoid(),
        lambda m, x: np.clip(x + 3, 0, 6) / 6,
        lambda m, x: (np.where((x > -3) & (x < 3), x * 0 + 1, x * 0) / 6,),
        lambda t, x: t.nn.functional.hardsigmoid(x),
        (2, 2),
        (0.5, 0.5),
    ),
    *both(
        pynet.Hardswish(),
        lambda m, x: x * np.clip(x + 3, 0, 6) / 6,
        lambda m, x: (
            np.where(x >= 3, x * 0 + 1, np.where(x > -3, x / 3, x * 0)),
            np.where((x > -3) & (x < 3), x * 0 + 1, x * 0) / 2,
        ),
        lambda t, x: t.nn.functional.hardswish(x),
        (2, 2),
        of_gradients=(4, 4),
        of_terms=True,
    ),
    *both(
        pynet.LogSigmoid(),
        lambda m, x: -m.log1p(m.exp(-x)),
        lambda m, x: (sigmoid(m, -x),),
        lambda t, x: t.nn.functional.logsigmoid(x),
        (2, 2),
        (4, 4),
    ),
]
