"""The notebook read as plain NumPy: every layer as its formula says, in float64.

A layer here has ``arrays`` and, after its backward, ``grads``. What chance or rounding decides is read off the layer of
pynet that it stands for: the mask of a Dropout, and the side of a kink for a number within ``rounding`` of it.
"""

import copy
from typing import ClassVar

import numpy as np

import pynet
from pynet import protocol


class Layer:
    """A layer without parameters.

    ``closest`` is how near its last input came to a kink, ``worst`` how much it amplifies rounding errors, ``rounding``
    how large they may be in its input.
    """

    closest, worst, rounding = np.inf, 1.0, 0.0
    kinds: ClassVar[dict] = {}

    def __init_subclass__(cls):
        cls.kinds[cls.__name__] = cls

    def __init__(self, of=None):
        self.of, self.arrays, self.grads = of, [], []

    def observe(self, x):
        """What a forward does beside computing its output."""

    @property
    def training(self):
        return self.of.training


class Linear(Layer):
    def __init__(self, of):
        super().__init__(of)
        self.arrays = [of.W.astype(float)] + ([] if of.b is None else [of.b.astype(float)])
        self.grads = [np.zeros_like(array) for array in self.arrays]

    def forward(self, x):
        return x @ self.arrays[0].T + (self.arrays[1] if len(self.arrays) > 1 else 0)

    def backward(self, x, grad):
        rows, grads = x.reshape(-1, x.shape[-1]), grad.reshape(-1, grad.shape[-1])
        self.grads = [grads.T @ rows, grads.sum(axis=0)][: len(self.arrays)]
        return grad @ self.arrays[0]


class LeakyReLU(Layer):
    @property
    def slope(self):
        return self.of.slope

    def forward(self, x):
        self.closest = np.abs(x[x != 0]).min(initial=np.inf)
        return np.where(x > 0, x, self.slope * x)

    def backward(self, x, grad):
        positive, near = x > 0, np.abs(x) <= self.rounding
        if self.rounding and near.any():
            positive = np.where(near, self.of.output > 0, positive)
        return np.where(positive, grad, self.slope * grad)


class ReLU(LeakyReLU):
    slope = 0.0


class Sigmoid(Layer):
    def forward(self, x):
        return 1 / (1 + np.exp(-x))

    def backward(self, x, grad):
        y = self.forward(x)
        return grad * y * (1 - y)


class Tanh(Layer):
    def forward(self, x):
        return np.tanh(x)

    def backward(self, x, grad):
        return grad * (1 - np.tanh(x) ** 2)


class SoftMax(Layer):
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def backward(self, x, grad):
        p = self.forward(x)
        return p * (grad - (p * grad).sum(axis=-1, keepdims=True))


class LogSoftMax(Layer):
    def forward(self, x):
        shifted = x - x.max(axis=-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

    def backward(self, x, grad):
        return grad - np.exp(self.forward(x)) * grad.sum(axis=-1, keepdims=True)


class Dropout(Layer):
    def _masked(self, x):
        return x * self.of.mask / (1 - self.of.p) if self.training else x

    def forward(self, x):
        return self._masked(x)

    def backward(self, x, grad):
        return self._masked(grad)


class BatchNorm(Layer):
    def __init__(self, of):
        super().__init__(of)
        self.arrays = [of.weight.astype(float), of.bias.astype(float)] if of.affine else []
        self.grads = [np.zeros_like(array) for array in self.arrays]
        self.mean, self.var, self.count = of.running_mean.astype(float), of.running_var.astype(float), 0

    def _normal(self, x):
        axes = (0, *range(2, x.ndim))
        mean, var = (x.mean(axis=axes), x.var(axis=axes)) if self.training else (self.mean, self.var)
        mean, var = (array.reshape(-1, *[1] * (x.ndim - 2)) for array in (mean, var))
        std = np.sqrt(var + self.of.eps)
        return (x - mean) / std, std, axes

    def _weight(self, x):
        return self.arrays[0].reshape(-1, *[1] * (x.ndim - 2)) if self.arrays else 1.0

    def forward(self, x):
        normal, std, _ = self._normal(x)
        self.worst = max(1.0, float((np.abs(x) / std).max(initial=0)))
        return normal * self._weight(x) + (self.arrays[1].reshape(-1, *[1] * (x.ndim - 2)) if self.arrays else 0)

    def observe(self, x):
        if self.training:
            axes = (0, *range(2, x.ndim))
            momentum, size = self.of.momentum, x.size / x.shape[1]
            self.mean = (1 - momentum) * self.mean + momentum * x.mean(axis=axes)
            self.var = (1 - momentum) * self.var + momentum * x.var(axis=axes) * size / (size - 1)
            self.count += 1

    def backward(self, x, grad):
        normal, std, axes = self._normal(x)
        if self.arrays:
            self.grads = [(grad * normal).sum(axis=axes), grad.sum(axis=axes)]
        grad = grad * self._weight(x)
        if not self.training:
            return grad / std
        centred = grad - grad.mean(axis=axes, keepdims=True)
        return (centred - normal * (grad * normal).mean(axis=axes, keepdims=True)) / std


class LayerNorm(Layer):
    """Of the last axis, or of groups of it."""

    centred = True

    def __init__(self, of):
        super().__init__(of)
        parameters = (of.weight, getattr(of, "bias", None))
        self.arrays = [array.astype(float) for array in parameters if array is not None]
        self.grads = [np.zeros_like(array) for array in self.arrays]

    @property
    def groups(self):
        return 1

    def _grouped(self, x):
        return x.reshape(len(x), self.groups, -1)

    def _normal(self, x):
        x = self._grouped(x)
        eps = np.finfo(self.of.weight.dtype).eps if self.of.eps is None else self.of.eps
        centre = x - x.mean(axis=-1, keepdims=True) if self.centred else x
        return centre, np.sqrt((centre**2).mean(axis=-1, keepdims=True) + eps)

    def forward(self, x):
        centre, std = self._normal(x)
        self.worst = max(1.0, float((np.abs(self._grouped(x)) / std).max(initial=0)))
        y = (centre / std).reshape(x.shape)
        y = y * self.arrays[0] if self.arrays else y
        return y + self.arrays[1] if len(self.arrays) > 1 else y

    def backward(self, x, grad):
        centre, std = self._normal(x)
        normal = centre / std
        if self.arrays:
            self.grads = [(grad * normal.reshape(x.shape)).sum(axis=0), grad.sum(axis=0)][: len(self.arrays)]
            grad = grad * self.arrays[0]
        grad = self._grouped(grad)
        mean = grad.mean(axis=-1, keepdims=True) if self.centred else 0
        return ((grad - mean - normal * (grad * normal).mean(axis=-1, keepdims=True)) / std).reshape(x.shape)


class RMSNorm(LayerNorm):
    centred = False


class GroupNorm(LayerNorm):
    @property
    def groups(self):
        return self.of.num_groups


class Flatten(Layer):
    def forward(self, x):
        return x.reshape(len(x), -1)

    def backward(self, x, grad):
        return grad.reshape(x.shape)


class Identity(Layer):
    def forward(self, x):
        return x

    def backward(self, x, grad):
        return grad


class Own(Layer):
    """A user's layer is NumPy already."""

    def __init__(self, of):
        super().__init__(of)
        self.layer = copy.deepcopy(of)
        protocol.convert(self.layer, np.dtype(float))
        self.arrays = self.layer.parameters() if hasattr(of, "parameters") else []
        self.grads = [np.zeros_like(array) for array in self.arrays]

    def forward(self, x):
        return self.layer.forward(x)

    def backward(self, x, grad):
        self.layer.forward(x)
        grad_input = self.layer.backward(x, grad)
        self.grads = self.layer.grad_parameters() if self.arrays else []
        return grad_input


class Sequential(Layer):
    """Layers one after another, those of nested Sequentials among them.

    With ``eps``, the size of a rounding error, each layer learns how large one may be in its input.
    """

    def __init__(self, of, eps=0.0):
        super().__init__(of)
        self.layers, self.eps = [mirror(layer) for layer in leaves(of)], eps

    def forward(self, x):
        self.inputs = self._values(x)
        for layer, at in zip(self.layers, self.inputs, strict=False):
            layer.observe(at)
        return self.inputs[-1]

    def _values(self, x):
        values, self.worst = [x], 1.0
        for layer in self.layers:
            layer.rounding = self.eps * self.worst * max(1.0, np.abs(values[-1]).max(initial=0))
            values.append(layer.forward(values[-1]))
            self.worst *= layer.worst
        return values

    def backward(self, x, grad):
        inputs = self.inputs if x is self.inputs[0] else self._values(x)
        for layer, at in zip(self.layers[::-1], inputs[-2::-1], strict=True):
            grad = layer.backward(at, grad)
        return grad

    def all_arrays(self):
        return [array for layer in self.layers for array in layer.arrays]

    def all_grads(self):
        return [grad for layer in self.layers for grad in layer.grads]

    def near_a_kink(self):
        """Whether rounding may have decided on which side of a kink a number of the last forward lay."""
        return any(layer.closest <= layer.rounding for layer in self.layers)


class Residual(Layer):
    """Its layers as a Sequential."""

    def __init__(self, of):
        self.of, self.body = of, Sequential(of)

    @property
    def arrays(self):
        return self.body.all_arrays()

    @property
    def grads(self):
        return self.body.all_grads()

    @property
    def closest(self):
        return 0.0 if self.body.near_a_kink() else np.inf

    def _values(self, x):
        self.body.eps = self.rounding / max(1.0, np.abs(x).max(initial=0))
        return self.body._values(x)

    def forward(self, x):
        self.body.inputs = self._values(x)
        self.worst = 1 + self.body.worst
        return x + self.body.inputs[-1]

    def observe(self, x):
        for layer, at in zip(self.body.layers, self.body.inputs, strict=False):
            layer.observe(at)

    def backward(self, x, grad):
        return grad + self.body.backward(x, grad)


class Parallel(Layer):
    """Its layers as a Sequential each."""

    def __init__(self, of):
        self.of, self.bodies = of, [Sequential([layer]) for layer in of]

    @property
    def arrays(self):
        return [array for body in self.bodies for array in body.all_arrays()]

    @property
    def grads(self):
        return [grad for body in self.bodies for grad in body.all_grads()]

    @property
    def closest(self):
        return 0.0 if any(body.near_a_kink() for body in self.bodies) else np.inf

    def forward(self, x):
        for body in self.bodies:
            body.eps = self.rounding / max(1.0, np.abs(x).max(initial=0))
            body.inputs = body._values(x)
        self.worst = sum(body.worst for body in self.bodies)
        outputs = [body.inputs[-1] for body in self.bodies]
        self.ends = np.cumsum([output.shape[-1] for output in outputs])
        return np.concatenate(outputs, axis=-1) if self.of.merge == "cat" else sum(outputs)

    def observe(self, x):
        for body in self.bodies:
            for layer, at in zip(body.layers, body.inputs, strict=False):
                layer.observe(at)

    def backward(self, x, grad):
        parts = np.split(grad, self.ends[:-1], axis=-1) if self.of.merge == "cat" else [grad] * len(self.bodies)
        return sum(body.backward(x, part) for body, part in zip(self.bodies, parts, strict=True))


def leaves(model):
    """All layers of a model of pynet, in order; a Residual or Parallel as one."""
    for layer in model:
        yield from leaves(layer) if isinstance(layer, pynet.Sequential) else [layer]


def mirror(module):
    """The NumPy layer that a module of pynet, or a user's, stands for, with its numbers."""
    if not type(module).__module__.startswith("pynet."):
        return Own(module)
    return Layer.kinds[type(module).__name__](module)
