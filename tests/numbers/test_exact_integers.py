"""Linear on small integers is exact, bit for bit: every shape, by modules and compiled, on any number of threads."""

import itertools

import numpy as np
import pytest

import pynet

SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 127, 129]
THREADS = (1, 2, 3, 8)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)

# The default run: every size at every place, beside small, equal and large ones. The thorough run: all shapes.
some_shapes = sorted(
    {
        (SIZES[i], SIZES[(i + a) % len(SIZES)], SIZES[(i + b) % len(SIZES)])
        for i in range(len(SIZES))
        for a, b in ((0, 0), (1, 5), (5, 1), (9, 13), (13, 4))
    }
    | set(itertools.permutations((129, 64, 1)))
    | {(129, 127, 65), (64, 129, 33)}
)
all_shapes = list(itertools.product(SIZES, repeat=3))
each_run = pytest.mark.parametrize(
    "shapes", [some_shapes, pytest.param(all_shapes, marks=pytest.mark.thorough)], ids=["some", "all"]
)


def test_that_the_default_run_has_every_size_at_every_place():
    assert all({shape[place] for shape in some_shapes} == set(SIZES) for place in range(3))


def integers(random, *shape):
    """Small ones, in float64, in which NumPy's products of them are exact too."""
    return random.integers(-2, 3, shape).astype(np.float64)


def assert_same(got, expected, dtype):
    assert got.dtype == dtype
    assert np.array_equal(got, expected)


@each_dtype
@each_run
def test_that_linear_is_exact(shapes, dtype):
    random = np.random.default_rng(0)
    for m, n, k in shapes:
        x, dy, w, b = (integers(random, *shape) for shape in ((m, k), (m, n), (n, k), (n,)))
        layer = pynet.Linear(k, n, dtype=dtype)
        layer.W, layer.b = w.astype(dtype), b.astype(dtype)
        inputs, gradients = x.astype(dtype), dy.astype(dtype)
        expected = x @ w.T + b, dy @ w, dy.T @ x, dy.sum(axis=0)
        for threads in THREADS:
            pynet.set_num_threads(threads)
            got = layer.forward(inputs), layer.backward(inputs, gradients), layer.grad_W, layer.grad_b
            for one, other in zip(got, expected, strict=True):
                assert_same(one, other, dtype)
            layer.backward(inputs, gradients, accumulate=True)
            assert_same(layer.grad_W, 2 * expected[2], dtype)
            assert_same(layer.grad_b, 2 * expected[3], dtype)


class Network:
    """Linear, ReLU, Linear, and one step of SGD with lr 1 on a sum of squared errors, all in integers below 2^24."""

    def __init__(self, random, rows, hidden, columns):
        outputs = 1 + hidden % 19
        self.x, self.d = integers(random, rows, columns), np.sign(integers(random, rows, outputs))
        self.w1, self.b1 = integers(random, hidden, columns), integers(random, hidden)
        self.w2, self.b2 = np.sign(integers(random, outputs, hidden)), integers(random, outputs)
        h = np.maximum(self.x @ self.w1.T + self.b1, 0)
        self.output = h @ self.w2.T + self.b2
        self.target = self.output - self.d  # so the errors are d
        g = 2 * self.d
        g1 = np.where(h > 0, g @ self.w2, 0)
        self.gradients = g1.T @ self.x, g1.sum(axis=0), g.T @ h, g.sum(axis=0)
        self.loss = (self.d**2).sum()

    def model(self, dtype):
        (outputs, hidden), columns = self.w2.shape, self.w1.shape[1]
        model = pynet.Sequential(
            pynet.Linear(columns, hidden, dtype=dtype), pynet.ReLU(), pynet.Linear(hidden, outputs, dtype=dtype)
        )
        for array, numbers in zip(model.parameters(), (self.w1, self.b1, self.w2, self.b2), strict=True):
            array[...] = numbers
        return model


@each_dtype
@each_run
def test_that_compiled_steps_and_predictions_are_exact(shapes, dtype):
    random = np.random.default_rng(1)
    for rows, hidden, columns in shapes:
        if not rows * hidden * columns:
            continue  # an empty batch has no loss, and no features no plan: module by module
        network = Network(random, rows, hidden, columns)
        x, target = network.x.astype(dtype), network.target.astype(dtype)
        for threads in THREADS:
            pynet.set_num_threads(threads)
            model = network.model(dtype)
            before = [array.copy() for array in model.parameters()]
            for freeze in (False, True):
                predict = pynet.compile_predict(model, freeze=freeze)
                assert_same(predict(x), network.output, dtype)
            for gradients in (True, False):
                for array, old in zip(model.parameters(), before, strict=True):
                    array[...] = old
                step = pynet.compile_step(model, pynet.MSELoss("sum"), pynet.optim.SGD(model, lr=1.0))
                assert step(x, target, gradients=gradients) == network.loss
                assert_same(step.output, network.output, dtype)
                for array, old, moved in zip(model.parameters(), before, network.gradients, strict=True):
                    assert_same(array, old - moved, dtype)
            assert step.compiled
            for array, expected in zip(model.grad_parameters(), network.gradients, strict=True):
                assert_same(array, expected, dtype)
