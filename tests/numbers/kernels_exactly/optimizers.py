"""The steps of optimizers: one, the tenth, of given numbers."""

import numpy as np

import pynet

from .row import Row


def parameters(random, size, dtype):
    p, g, v = random.normal(size=(3, size)).astype(dtype)
    return p, g, v, random.uniform(1e-4, 2, size).astype(dtype)


class Parameter(pynet.Module):
    """An array to move."""

    def __init__(self, p, g):
        super().__init__()
        self.p, self.grad_p = p.copy(), g.copy()

    def parameters(self):
        return [self.p]

    def grad_parameters(self):
        return [self.grad_p]


def moved(make, *names):
    """One step, the tenth, with velocity or means and squares as given."""

    def run(p, g, *buffers):
        module = Parameter(p, g)
        optimizer = make(module)
        optimizer.step()
        state = optimizer.state_dict()
        for kept in state["state"].values():
            for name, array in zip(names, buffers, strict=False):
                kept[name] = array.copy()
            kept["step"] = 9
        optimizer.load_state_dict(state)
        module.p[...] = p
        optimizer.step()
        return module.p

    return run


def torch_moved(make, *names):
    def run(t, p, g, *buffers):
        p = t.nn.Parameter(t.tensor(p.numpy()))
        optimizer = make(t.optim, [p])
        p.grad = t.tensor(g.numpy())
        optimizer.state[p] = {name: t.tensor(a.numpy()) for name, a in zip(names, buffers, strict=False)}
        if len(names) == 2:
            optimizer.state[p]["step"] = t.tensor(9.0)
        optimizer.step()
        return p.detach()

    return run


def sgd(m, p, g, v, s, lr=0.1, momentum=0.9):
    lr, momentum = (m.number(np.array(x))[()] for x in (lr, momentum))
    return p - lr * (momentum * v + g)


def adam_parts(m, p, g, v, s, lr=0.01, decay=0.0):
    lr, beta1, beta2, eps, decay = (m.number(np.array(x))[()] for x in (lr, 0.9, 0.999, 1e-8, decay))
    mean, square = beta1 * v + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
    step = lr * mean / (1 - beta1**10) / (m.sqrt(square / (1 - beta2**10)) + eps)
    return p * (1 - lr * decay), step, (beta1 * np.abs(v) + (1 - beta1) * np.abs(g)) / np.abs(mean)


def adam_scale(m, *arrays, **options):
    """The sizes of what is added up, in the mean and in the step."""
    p, step, cancelled = adam_parts(m, *arrays, **options)
    return np.abs(p) + np.abs(step) * cancelled


MEANS = ("exp_avg", "exp_avg_sq")
OPTIMIZERS = [
    Row(
        "SGD with momentum, step",
        "normal",
        parameters,
        moved(lambda module: pynet.optim.SGD(module, 0.1, momentum=0.9), "momentum_buffer"),
        sgd,
        (4, 4),
        None,
        torch_moved(lambda o, ps: o.SGD(ps, 0.1, momentum=0.9), "momentum_buffer"),
        lambda m, p, g, v, s: np.abs(p) + np.abs(0.1 * g) + np.abs(0.09 * v),
        "u Σ|terms|",
    ),
    Row(
        "Adam, step",
        "normal",
        parameters,
        moved(lambda module: pynet.optim.Adam(module, 0.01), *MEANS),
        lambda m, *a: adam_parts(m, *a)[0] - adam_parts(m, *a)[1],
        (4, 4),
        None,
        torch_moved(lambda o, ps: o.Adam(ps, 0.01, foreach=False), *MEANS),
        adam_scale,
        "u Σ|terms|",
    ),
    Row(
        "AdamW, step",
        "normal",
        parameters,
        moved(lambda module: pynet.optim.AdamW(module, 0.01, weight_decay=0.1), *MEANS),
        lambda m, *a: adam_parts(m, *a, decay=0.1)[0] - adam_parts(m, *a, decay=0.1)[1],
        (4, 4),
        None,
        torch_moved(lambda o, ps: o.AdamW(ps, 0.01, weight_decay=0.1, foreach=False), *MEANS),
        lambda m, *a: adam_scale(m, *a, decay=0.1),
        "u Σ|terms|",
    ),
]
