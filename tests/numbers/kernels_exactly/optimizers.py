"""The steps of optimizers: one, the tenth, of given numbers."""

import math

import numpy as np

import pynet

from .row import TERMS, constant, row_of_terms


def means_and_squares(random, size, dtype):
    """Parameters, gradients, a velocity or mean, and a mean of squares."""
    p, g, v = random.normal(size=(3, size)).astype(dtype)
    return p, g, v, random.uniform(1e-4, 2, size).astype(dtype)


def far_squares(random, size, dtype):
    """Parameters, gradients, a velocity, and a mean of squares that is no less than twice the square of the mean."""
    p, g, v, s = means_and_squares(random, size, np.float64)
    mean = random.normal(size=size)
    return tuple(array.astype(dtype) for array in (p, g, v, s + 2.0001 * mean**2, mean))


def squares(count):
    """Parameters, gradients and so many means or sums of squares."""

    def make(random, size, dtype):
        p, g = random.normal(size=(2, size)).astype(dtype)
        return p, g, *random.uniform(1e-4, 2, (count, size)).astype(dtype)

    return make


class Parameter(pynet.Module):
    """An array to move."""

    def __init__(self, p, g):
        super().__init__()
        self.p, self.grad_p = p.copy(), g.copy()

    def parameters(self):
        return [self.p]

    def grad_parameters(self):
        return [self.grad_p]


def moved(make, names, **numbers):
    """One step, the tenth, with velocity or means and squares as given."""

    def run(p, g, *buffers):
        module = Parameter(p, g)
        optimizer = make(module)
        optimizer.step()
        state = optimizer.state_dict()
        for kept in state["state"].values():
            kept |= dict(zip(names, buffers, strict=False)) | {"step": 9} | numbers
        optimizer.load_state_dict(state)
        module.p[...] = p
        optimizer.step()
        return module.p

    return run


def torch_moved(make, names, **numbers):
    def run(t, p, g, *buffers):
        p = t.nn.Parameter(t.tensor(p.numpy()))
        optimizer = make(t.optim, [p])
        p.grad = t.tensor(g.numpy())
        state = {name: t.tensor(a.numpy()) for name, a in zip(names, buffers, strict=False)}
        scalars = {name: t.tensor(number, dtype=p.dtype) for name, number in ({"step": 9.0} | numbers).items()}
        optimizer.state[p] = state | scalars
        optimizer.step()
        return p.detach()

    return run


# -------------------------------------------------------------------------------- what a moved parameter is the sum of


def numbers_of(m, *values):
    return (constant(m, value) for value in values)


def sgd(m, p, g, v, s):
    lr, momentum = numbers_of(m, 0.1, 0.9)
    return p, -lr * momentum * v, -lr * g


def adam(decay):
    def terms(m, p, g, v, s):
        lr, beta1, beta2, eps, decayed = numbers_of(m, 0.01, 0.9, 0.999, 1e-8, decay)
        root = m.sqrt((beta2 * s + (1 - beta2) * g * g) / (1 - beta2**10)) + eps
        unit = lr / (1 - beta1**10) / root
        return p * (1 - lr * decayed), -unit * beta1 * v, -unit * (1 - beta1) * g

    return terms


PRODUCT = math.prod(0.9 * (1 - 0.5 * 0.96 ** (t * 4e-3)) for t in range(1, 10))  # of NAdam's first nine momenta


def nadam(m, p, g, v, s):
    lr, beta1, beta2, eps = numbers_of(m, 2e-3, 0.9, 0.999, 1e-8)
    half, base, decay = numbers_of(m, 0.5, 0.96, 4e-3)
    now, ahead = (beta1 * (1 - half * base ** (t * decay)) for t in (10, 11))
    product = constant(m, PRODUCT) * now
    unit = lr / (m.sqrt((beta2 * s + (1 - beta2) * g * g) / (1 - beta2**10)) + eps)
    unit_ahead = unit * ahead / (1 - product * ahead)
    return p, -unit * (1 - now) / (1 - product) * g, -unit_ahead * beta1 * v, -unit_ahead * (1 - beta1) * g


def rmsprop(m, p, g, s):
    lr, alpha, eps = numbers_of(m, 0.01, 0.99, 1e-8)
    return p, -lr * g / (m.sqrt(alpha * s + (1 - alpha) * g * g) + eps)


def centered_rmsprop(m, p, g, v, s, mean):
    lr, alpha, eps, momentum = numbers_of(m, 0.01, 0.99, 1e-8, 0.9)
    variance = alpha * s + (1 - alpha) * g * g - (alpha * mean + (1 - alpha) * g) ** 2
    return p, -lr * momentum * v, -lr * g / (m.sqrt(variance) + eps)


def adagrad(m, p, g, s):
    lr, lr_decay, eps = numbers_of(m, 0.1, 0.01, 1e-10)
    return p, -lr / (1 + 9 * lr_decay) * g / (m.sqrt(s + g * g) + eps)


def adadelta(m, p, g, s, u):
    rho, eps = numbers_of(m, 0.9, 1e-6)
    return p, -g * m.sqrt(u + eps) / m.sqrt(rho * s + (1 - rho) * g * g + eps)


def step(name, inputs, ours, theirs, names, terms, **numbers):
    """The row of an optimizer whose buffers have these names, and who keeps these numbers for each parameter."""
    run, theirs = moved(ours, names, **numbers), torch_moved(theirs, names, **numbers)
    return row_of_terms(f"{name}, step", "normal", inputs, run, terms, (4, 4), theirs, TERMS, in_numpy=False)


MEANS = ("exp_avg", "exp_avg_sq")
CENTERED = {"momentum": 0.9, "centered": True}

OPTIMIZERS = [
    step(
        "SGD with momentum",
        means_and_squares,
        lambda module: pynet.optim.SGD(module, 0.1, momentum=0.9),
        lambda o, ps: o.SGD(ps, 0.1, momentum=0.9),
        ("momentum_buffer",),
        sgd,
    ),
    step(
        "Adam",
        means_and_squares,
        lambda module: pynet.optim.Adam(module, 0.01),
        lambda o, ps: o.Adam(ps, 0.01, foreach=False),
        MEANS,
        adam(0.0),
    ),
    step(
        "AdamW",
        means_and_squares,
        lambda module: pynet.optim.AdamW(module, 0.01, weight_decay=0.1),
        lambda o, ps: o.AdamW(ps, 0.01, weight_decay=0.1, foreach=False),
        MEANS,
        adam(0.1),
    ),
    step(
        "NAdam",
        means_and_squares,
        pynet.optim.NAdam,
        lambda o, ps: o.NAdam(ps, foreach=False),
        MEANS,
        nadam,
        mu_product=PRODUCT,
    ),
    step(
        "RMSprop",
        squares(1),
        pynet.optim.RMSprop,
        lambda o, ps: o.RMSprop(ps, foreach=False),
        ("square_avg",),
        rmsprop,
    ),
    step(
        "RMSprop, centered, with momentum",
        far_squares,
        lambda module: pynet.optim.RMSprop(module, **CENTERED),
        lambda o, ps: o.RMSprop(ps, foreach=False, **CENTERED),
        ("momentum_buffer", "square_avg", "grad_avg"),
        centered_rmsprop,
    ),
    step(
        "Adagrad",
        squares(1),
        lambda module: pynet.optim.Adagrad(module, 0.1, lr_decay=0.01),
        lambda o, ps: o.Adagrad(ps, 0.1, lr_decay=0.01, foreach=False),
        ("sum",),
        adagrad,
    ),
    step(
        "Adadelta",
        squares(2),
        pynet.optim.Adadelta,
        lambda o, ps: o.Adadelta(ps, foreach=False),
        ("square_avg", "acc_delta"),
        adadelta,
    ),
]
