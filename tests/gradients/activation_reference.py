"""The activations in plain NumPy, for networks drawn at random: each as its formula says, in float64."""

import math

import numpy as np
from notebook_reference import Layer, LeakyReLU


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(0, x)


def normal_below(x):
    return np.vectorize(math.erfc, otypes=[float])(-x / np.sqrt(2)) / 2


def argument(x):
    return np.sqrt(8 / np.pi) * (x + 0.044715 * x**3)


def gelu(of, x):
    return x * (sigmoid(argument(x)) if of.approximate == "tanh" else normal_below(x))


def gelu_derivative(of, x):
    if of.approximate == "none":
        return normal_below(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    s = sigmoid(argument(x))
    return s + x * s * (1 - s) * np.sqrt(8 / np.pi) * (1 + 3 * 0.044715 * x**2)


def mish_derivative(of, x):
    t = np.tanh(softplus(x))
    return t + x * (1 - t**2) * sigmoid(x)


# Value and derivative.
SMOOTH = {
    "GELU": (gelu, gelu_derivative),
    "SiLU": (lambda of, x: x * sigmoid(x), lambda of, x: sigmoid(x) * (1 + x * sigmoid(-x))),
    "Mish": (lambda of, x: x * np.tanh(softplus(x)), mish_derivative),
    "Softplus": (lambda of, x: softplus(of.beta * x) / of.beta, lambda of, x: sigmoid(of.beta * x)),
    "Softsign": (lambda of, x: x / (1 + np.abs(x)), lambda of, x: 1 / (1 + np.abs(x)) ** 2),
    "LogSigmoid": (lambda of, x: -softplus(-x), lambda of, x: sigmoid(-x)),
}


class Smooth(Layer):
    """One of `SMOOTH`."""

    def forward(self, x):
        return SMOOTH[type(self.of).__name__][0](self.of, x)

    def backward(self, x, grad):
        return grad * SMOOTH[type(self.of).__name__][1](self.of, x)


for _name in SMOOTH:
    type(_name, (Smooth,), {})  # which makes it known


class ELU(Layer):
    scale = 1.0

    @property
    def alpha(self):
        return self.of.alpha

    def forward(self, x):
        self.closest = np.abs(x[x != 0]).min(initial=np.inf)
        return self.scale * np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def backward(self, x, grad):
        positive = np.where(np.abs(x) <= self.rounding, self.of.output > 0, x > 0)
        return grad * self.scale * np.where(positive, 1, self.alpha * np.exp(np.minimum(x, 0)))


class SELU(ELU):
    scale, alpha = 1.0507009873554805, 1.6732632423543772


class PReLU(LeakyReLU):
    def __init__(self, of):
        super().__init__(of)
        self.arrays, self.grads = [of.weight.astype(float)], [np.zeros(of.weight.shape)]

    @property
    def slope(self):
        return self.arrays[0]

    def backward(self, x, grad):
        grad_x = super().backward(x, grad)
        products = np.where(x > 0, 0, x * grad)
        self.grads = [products.sum(axis=0 if len(self.slope) > 1 else None).reshape(self.slope.shape)]
        return grad_x


class Hardtanh(Layer):
    """Between two limits of the input the line ``steepness * x + shift``, beyond them what that is there."""

    steepness, shift = 1.0, 0.0

    @property
    def limits(self):
        return self.of.min_val, self.of.max_val

    def _line(self, x):
        return self.steepness * x + self.shift

    def _distance(self, x):
        return np.minimum(*(np.abs(x - limit) for limit in self.limits))

    def forward(self, x):
        distance = self._distance(x)
        self.closest = distance[distance != 0].min(initial=np.inf)
        return self._line(np.clip(x, *self.limits))

    def backward(self, x, grad):
        low, high = self.limits
        inside, y = (x > low) & (x < high), self.of.output
        between = (y > self._line(low)) & (y < self._line(high))
        return np.where(np.where(self._distance(x) <= self.rounding, between, inside), self.steepness * grad, 0)


class ReLU6(Hardtanh):
    limits = (0.0, 6.0)


class Hardsigmoid(Hardtanh):
    limits, steepness, shift = (-3.0, 3.0), 1 / 6, 0.5
