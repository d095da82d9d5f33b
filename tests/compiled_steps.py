"""What the tests of compiled steps share: networks, the loop over modules, and comparisons."""

import copy
import itertools

import numpy as np

import pynet

DTYPES = [np.float32, np.float64]


def tolerance(dtype):
    return {"rtol": 2e-4, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-11}


def loop_step(model, criterion, optimizer, x, y, clip_norm=None, clip_value=None):
    """What a compiled step computes, module by module."""
    output = model.forward(x)
    loss = criterion.forward(output, y)
    model.backward(x, criterion.backward(output, y))
    if clip_norm is not None:
        pynet.optim.clip_grad_norm_(model, clip_norm)
    if clip_value is not None:
        pynet.optim.clip_grad_value_(model, clip_value)
    optimizer.step()
    return loss


def state(model, optimizer):
    kept = optimizer.state_dict()["state"]
    return model.state_dict() | {
        f"{name}/{key}": np.asarray(value) for name, values in kept.items() for key, value in values.items()
    }


def assert_close(a, b, dtype):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], err_msg=name, **tolerance(dtype))


def same_bits(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


def network(*dims, dtype=np.float64, activation=pynet.ReLU):
    layers = []
    for i, (a, b) in enumerate(itertools.pairwise(dims)):
        layers += [pynet.Linear(a, b, dtype=dtype, seed=i), activation()]
    return pynet.Sequential(*layers[:-1])


def batch(rows, columns, classes, dtype=np.float64, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, columns)).astype(dtype), random.integers(0, classes, rows)


# What criteria of probabilities, of expected counts, and of variances, want before them.
ENDS = {
    pynet.CrossEntropy: pynet.SoftMax,
    pynet.BCELoss: pynet.Sigmoid,
    pynet.PoissonNLLLoss: pynet.Sigmoid,
    pynet.GaussianNLLLoss: pynet.Sigmoid,
    pynet.NLLLoss: pynet.LogSoftMax,
}


def learning(case, dtype):
    """A criterion of the table, a model for it, and a batch."""
    criterion, columns = case.make(), case.input.shape[1] if case.input.ndim == 2 else 1
    last = [ENDS[type(criterion)]()] if type(criterion) in ENDS else []
    model = pynet.Sequential(pynet.Linear(4, columns, seed=0), *last).astype(dtype)
    x = np.random.default_rng(0).normal(size=(len(case.input), 4)).astype(dtype)
    y = case.target if case.target.dtype.kind == "i" else case.target.astype(dtype)
    return criterion, model, x, y[:, None] if case.input.ndim == 1 else y


def pair(model, criterion, make_optimizer, **options):
    """A loop over modules and a compiled step, of equal models."""
    twin = copy.deepcopy(model)
    optimizer = make_optimizer(model)
    step = pynet.compile_step(twin, criterion, make_optimizer(twin), **options)
    return (lambda x, y: loop_step(model, criterion, optimizer, x, y, **options)), optimizer, step


def compare(model, criterion, make_optimizer, data, dtype, steps=20, **options):
    """Train both and compare after each step; in float32 each starts from common parameters.

    What 20 steps make of a rounding error depends on the network and on which BLAS rounds, not on what is computed.
    """
    run, optimizer, step = pair(model, criterion, make_optimizer, **options)
    for i in range(steps):
        x, y = data(i)
        expected = run(x, y)
        got = step(x, y)
        assert step.compiled, step.reason
        np.testing.assert_allclose(got, expected, **tolerance(dtype))
        np.testing.assert_allclose(step.output, model.output, **tolerance(dtype))
        if dtype == np.float32 or i in (0, steps - 1):
            assert_close(state(step.model, step.optimizer), state(model, optimizer), dtype)
        if dtype == np.float32:
            for mine, common in zip(step.model.parameters(), model.parameters(), strict=True):
                mine[...] = common
    return step


def sgd(model):
    return pynet.optim.SGD(model, 0.05, momentum=0.9)


class Doubled(pynet.Module):
    """A user's layer."""

    def forward(self, input):
        self.output = 2 * input
        return self.output

    def backward(self, input, grad_output):
        return 2 * grad_output
