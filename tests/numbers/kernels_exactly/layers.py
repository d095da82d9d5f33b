"""The layers that add up: BatchNorm and Linear."""

import numpy as np

import pynet

from .row import TERMS, Row, constant


def channels(random, size, dtype):
    x = random.normal(3, 2, size=(max(10, size // 8), 8)).astype(dtype)
    return x, random.normal(size=x.shape).astype(dtype), *random.uniform(0.5, 1.5, (2, 8)).astype(dtype)


def batch_norm(x, w, b):
    layer = pynet.BatchNorm(x.shape[1], dtype=x.dtype)
    layer.weight[...], layer.bias[...] = w, b
    return layer


def normalized(m, x):
    mean = x.sum(axis=0) / len(x)
    deviation = m.sqrt(((x - mean) ** 2).sum(axis=0) / len(x) + constant(m, 1e-5))
    return (x - mean) / deviation, mean, deviation


def batch_norm_gradient(m, x, g, w, b):
    y, _, deviation = normalized(m, x)
    return w / deviation * (g - (g.sum(axis=0) + y * (g * y).sum(axis=0)) / len(x))


def batch_norm_gradient_scale(m, x, g, w, b):
    y, _, deviation = normalized(m, x)
    return w / deviation * (np.abs(g) + (np.abs(g).sum(axis=0) + np.abs(y) * np.abs(g * y).sum(axis=0)) / len(x))


def batch_norm_backward(x, g, w, b):
    layer = batch_norm(x, w, b)
    grad_input = layer.backward(x, g)
    return grad_input, layer.grad_weight, layer.grad_bias


def numpy_batch_norm(x, w, b):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + x.dtype.type(1e-5)) * w + b


def torch_batch_norm(t, x, g, w, b):
    return t.nn.functional.batch_norm(x, None, None, w, b, training=True)


def torch_batch_norm_gradient(which):
    def run(t, *arrays):
        x, g, w, b = (t.tensor(a.numpy(), requires_grad=True) for a in arrays)
        torch_batch_norm(t, x, g, w, b).backward(g.detach())
        return (x, w, b)[which].grad

    return run


BATCH_NORM = [
    Row(
        "BatchNorm, forward",
        "normal",
        channels,
        lambda x, g, w, b: batch_norm(x, w, b)(x),
        lambda m, x, g, w, b: normalized(m, x)[0] * w + b,
        (4, 16),
        lambda x, g, w, b: numpy_batch_norm(x, w, b),
        torch_batch_norm,
        lambda m, x, g, w, b: (np.abs(x) + np.abs(normalized(m, x)[1])) / normalized(m, x)[2] * w + np.abs(b),
        "u ((|x| + |mean|) w / s + |b|)",
    ),
    Row(
        "BatchNorm, backward, input",
        "normal",
        channels,
        lambda *a: batch_norm_backward(*a)[0],
        batch_norm_gradient,
        (4, 16),
        None,
        torch_batch_norm_gradient(0),
        batch_norm_gradient_scale,
        TERMS,
    ),
    Row(
        "BatchNorm, backward, weight",
        "normal",
        channels,
        lambda *a: batch_norm_backward(*a)[1],
        lambda m, x, g, w, b: (g * normalized(m, x)[0]).sum(axis=0),
        (4, 4),
        None,
        torch_batch_norm_gradient(1),
        lambda m, x, g, w, b: np.abs(g * normalized(m, x)[0]).sum(axis=0),
        "u Σ|g x|",
    ),
    Row(
        "BatchNorm, backward, bias",
        "normal",
        channels,
        lambda *a: batch_norm_backward(*a)[2],
        lambda m, x, g, w, b: g.sum(axis=0),
        (4, 4),
        lambda x, g, w, b: g.sum(axis=0),
        torch_batch_norm_gradient(2),
        lambda m, x, g, w, b: np.abs(g).sum(axis=0),
        "u Σ|g|",
    ),
]


def matrices(depth, draw):
    def make(random, size, dtype):
        rows = 8
        return tuple(getattr(random, draw)(size=shape).astype(dtype) for shape in ((rows, depth), (12, depth)))

    return make


def tall(random, size, dtype):
    return (random.uniform(size=(max(10_000, size), 3)).astype(dtype),)


def linear(x, w):
    layer = pynet.Linear(w.shape[1], w.shape[0], bias=False, dtype=w.dtype)
    layer.W = w
    return layer


def bias_gradient(g):
    layer = pynet.Linear(1, g.shape[1], dtype=g.dtype)
    layer.backward(g[:, :1], g)
    return layer.grad_b


def magnitudes(m, x, w):
    return np.abs(x) @ np.abs(w).T


def compiled(x, w):
    return pynet.compile_predict(linear(x, w))(x)


LINEAR = [
    *(
        Row(
            kernel,
            f"{draw}, {depth} inputs",
            matrices(depth, draw),
            ours,
            lambda m, x, w: x @ w.T,
            (limit, limit),
            lambda x, w: x @ w.T,
            lambda t, x, w: t.nn.functional.linear(x, w),
            magnitudes,
            "u Σ|x W|",
        )
        for kernel, ours in (("Linear, forward", lambda x, w: linear(x, w)(x)), ("Linear, compiled", compiled))
        for draw in ("normal", "uniform")  # of both signs; from 0 to 1, so that sums grow and grow
        for depth in (64, 1024, 8192)
        for limit in (4 if draw == "normal" else 40 if ours is compiled and depth == 1024 else 16,)
    ),
    Row(
        "Linear, backward, bias",
        "uniform, a column of rows",
        tall,
        bias_gradient,
        lambda m, g: g.sum(axis=0),
        (4, 4),
        lambda g: g.sum(axis=0),
        lambda t, g: g.sum(dim=0),
        lambda m, g: np.abs(g).sum(axis=0),
        "u Σ|g|",
    ),
]
