"""L-BFGS: it finds what least squares and SciPy find, of any model, and leaves alone what it must."""

import copy

import numpy as np
import pytest
from test_users_modules import NotebookLinear

import pynet
from pynet.optim import LBFGS
from pynet.optim.objective import Objective

optimize = pytest.importorskip("scipy.optimize")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3))
Y = X @ RANDOM.normal(size=(3, 2)) + 0.3 + 0.1 * RANDOM.normal(size=(40, 2))
LABELS = (X @ RANDOM.normal(size=(3, 3))).argmax(axis=1)
# Below that, what a loss falls by is less than it is rounded by, and the line search may find nothing.
EXACT = {"tolerance_grad": 1e-7, "tolerance_change": 0.0}


def with_ones(x):
    return np.column_stack([x, np.ones(len(x))])


def least_squares(weight, decay):
    """W and b that minimise the weighted mean of squares plus decay / 2 times those of W."""
    A = with_ones(X)
    rows = weight / weight.mean() / len(X)
    inner = A.T @ (A * rows[:, None]) + decay / 2 * np.diag([1, 1, 1, 0])
    return np.linalg.solve(inner, A.T @ (Y * rows[:, None]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("make", [lambda: pynet.Linear(3, 2, seed=0), lambda: pynet.Sequential(NotebookLinear(3, 2))])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_a_linear_model_becomes_that_of_least_squares(make, weighted, decay, dtype):
    model = make().astype(dtype) if isinstance(make(), pynet.Module) else make()
    arrays = model.parameters()
    weight = np.arange(1.0, 41) if weighted else np.ones(40)
    groups = [{"parameters": "*b*", "weight_decay": 0}]
    optimizer = LBFGS(model, weight_decay=decay, groups=groups, **EXACT)
    found = optimizer.minimize(pynet.MSE(), X, Y, sample_weight=weight if weighted else None)
    expected = least_squares(weight, decay)
    tolerance = 1e-6 if arrays[0].dtype == np.float64 else 1e-5
    W, b = model.parameters()
    np.testing.assert_allclose(W, expected[:3].T, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(b, expected[3], rtol=tolerance, atol=tolerance)
    assert W is arrays[0]
    assert W.dtype == arrays[0].dtype
    assert found.losses == sorted(found.losses, reverse=True)
    assert found.evaluations >= len(found.losses)
    assert found.converged  # as float32 could not


def network(dtype=np.float64):
    return pynet.Sequential(
        pynet.Linear(3, 8, seed=0), pynet.BatchNorm(8), pynet.Tanh(), pynet.Linear(8, 3, seed=1)
    ).astype(dtype)


def test_it_goes_where_scipy_goes_with_differences_for_gradients():
    model = pynet.Sequential(pynet.Linear(3, 2, seed=0), pynet.Tanh(), pynet.Linear(2, 3, seed=1))
    twin, criterion = copy.deepcopy(model), pynet.CrossEntropyLoss()

    def loss(vector):
        start = 0
        for array in twin.parameters():
            array[...] = vector[start : start + array.size].reshape(array.shape)
            start += array.size
        squares = sum((array**2).sum() for array in twin.parameters())
        return float(criterion.forward(twin.forward(X), LABELS)) + 0.05 * squares

    start = np.concatenate([array.ravel() for array in twin.parameters()])
    expected = optimize.minimize(loss, start, method="L-BFGS-B", options={"gtol": 1e-6, "maxfun": 10**6})
    found = LBFGS(model, tolerance_grad=1e-6, weight_decay=0.1).minimize(criterion, X, LABELS)
    assert found.converged
    np.testing.assert_allclose(found.losses[0], loss(start), rtol=1e-12)
    np.testing.assert_allclose(found.losses[-1], expected.fun, rtol=1e-6)
    np.testing.assert_allclose(found.losses[-1], loss(np.concatenate([a.ravel() for a in model.parameters()])))


def test_gradients_are_those_of_the_loss_with_decay_weights_and_an_array_of_two_layers():
    a, b = pynet.Linear(3, 3, seed=0), pynet.Linear(3, 3, seed=1)
    b.W = a.W
    model = pynet.Sequential(a, pynet.Tanh(), b, pynet.Linear(3, 2, seed=2).freeze())
    decays = {"0.weight": 0.3, "0.bias": 0.0, "2.bias": 0.2}
    weight = np.linspace(0.5, 1.5, 40)
    objective = Objective(model, pynet.MSE(), X, Y, weight, decays)
    point = objective.vector()
    assert point.shape == (15,)
    _, gradient = objective(point)
    for i in range(15):
        low, high = (objective(point + shift * np.eye(15)[i])[0] for shift in (-1e-6, 1e-6))
        np.testing.assert_allclose(gradient[i], (high - low) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_loss_falls_to_that_of_a_fit_and_statistics_move(dtype):
    model = network(dtype)
    mean = model[1].running_mean.copy()
    found = LBFGS(model, max_iter=300).minimize(pynet.CrossEntropyLoss(), X, LABELS)
    assert found.losses[-1] < 0.01 * found.losses[0]
    assert (model.forward(X).argmax(axis=1) == LABELS).all()
    assert not np.array_equal(model[1].running_mean, mean)
    assert {array.dtype for array in model.parameters()} == {np.dtype(dtype)}


def test_frozen_parameters_stay_and_an_array_of_two_layers_is_one():
    model = network()
    model[0].freeze()
    before = model.state_dict()
    LBFGS(model, max_iter=20, weight_decay=1.0).minimize(pynet.CrossEntropyLoss(), X, LABELS)
    assert np.array_equal(model[0].W, before["0.weight"])
    assert not np.array_equal(model[3].W, before["3.weight"])
    a, b = pynet.Linear(3, 3, bias=False, seed=0), pynet.Linear(3, 3, bias=False, seed=1)
    b.W = a.W
    # Twice W = X to 4 X is W = 2 or -2, up to a basis.
    found = LBFGS(pynet.Sequential(a, b), max_iter=500, **EXACT).minimize(pynet.MSE(), X, 4 * X)
    assert found.losses[-1] < 1e-12
    np.testing.assert_allclose(a.W @ a.W, 4 * np.eye(3), atol=1e-5)
    assert b.W is a.W
    with pytest.raises(ValueError, match="no parameters that learn"):
        LBFGS(model.freeze()).minimize(pynet.CrossEntropyLoss(), X, LABELS)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_callback_sees_each_iteration_and_can_end_it(dtype):
    model = network(dtype).eval()
    seen = []

    def look(iteration, loss):
        now = float(pynet.CrossEntropyLoss().forward(model.forward(X), LABELS))
        seen.append((iteration, loss))
        np.testing.assert_allclose(now, loss, rtol=1e-12 if dtype == np.float64 else 1e-4)
        return iteration == 5

    found = LBFGS(model).minimize(pynet.CrossEntropyLoss(), X, LABELS, callback=look)
    assert seen == list(enumerate(found.losses))[1:]
    assert len(seen) == 5
    assert not found.converged


def test_limits_end_it_and_say_so():
    few = LBFGS(network(), max_iter=3, **EXACT).minimize(pynet.CrossEntropyLoss(), X, LABELS)
    assert (len(few.losses), few.converged) == (4, False)
    assert "ITERATIONS" in few.message.upper()
    evaluated = LBFGS(network(), max_eval=5, **EXACT).minimize(pynet.CrossEntropyLoss(), X, LABELS)
    assert evaluated.evaluations <= 8
    assert not evaluated.converged
    loose = LBFGS(network(), tolerance_grad=10.0).minimize(pynet.CrossEntropyLoss(), X, LABELS)
    assert (len(loose.losses), loose.converged) == (1, True)


def same(model, before):
    return all(np.array_equal(array, before[name]) for name, array in model.state_dict().items())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("x", "y", "options", "error", "text"),
    [
        (X[:, :2], LABELS, {}, pynet.ShapeError, "expected 3"),
        (X, LABELS[:9], {}, pynet.ShapeError, "target"),
        (X, LABELS + 7, {}, ValueError, "target"),
        (X * np.inf, LABELS, {}, pynet.DivergedError, "before the first iteration"),
        (X, LABELS, {"sample_weight": np.ones(3)}, pynet.ShapeError, "sample_weight"),
        (X, LABELS, {"sample_weight": np.zeros(40)}, ValueError, "not all 0"),
        (X, LABELS, {"callback": 5}, TypeError, "callback"),
    ],
)
def test_what_cannot_be_minimised_leaves_the_model_as_it_was(x, y, options, error, text, dtype):
    model = network(dtype)
    before = model.state_dict()
    with pytest.raises(error, match=text), np.errstate(all="ignore"):
        LBFGS(model).minimize(pynet.CrossEntropyLoss(), x, y, **options)
    assert same(model, before)


def test_an_interruption_leaves_what_was_found():
    model = network().eval()

    def interrupt(iteration, loss):
        if iteration == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LBFGS(model).minimize(pynet.CrossEntropyLoss(), X, LABELS, callback=interrupt)
    loss = float(pynet.CrossEntropyLoss().forward(model.forward(X), LABELS))
    expected = LBFGS(network().eval(), max_iter=3).minimize(pynet.CrossEntropyLoss(), X, LABELS)
    np.testing.assert_allclose(loss, expected.losses[-1], rtol=1e-12)


class Interrupted(pynet.CrossEntropyLoss):
    """A criterion in whose eighth forward somebody presses Ctrl-C."""

    count = 0

    def forward(self, input, target):
        self.count += 1
        if self.count == 8:
            raise KeyboardInterrupt
        return super().forward(input, target)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_interruption_on_the_way_leaves_the_last_iteration(dtype):
    model, seen = network(dtype).eval(), []
    with pytest.raises(KeyboardInterrupt):
        LBFGS(model).minimize(Interrupted(), X, LABELS, callback=lambda iteration, loss: seen.append(loss))
    loss = float(pynet.CrossEntropyLoss().forward(model.forward(X), LABELS))
    np.testing.assert_allclose(loss, seen[-1], rtol=1e-12 if dtype == np.float64 else 1e-5)


def test_a_dropout_that_draws_is_refused_and_one_that_does_not_is_taken():
    model = network()
    model.append(pynet.Dropout(0.5))
    with pytest.raises(ValueError, match=r"4 Dropout\(.*eval"):
        LBFGS(model).minimize(pynet.CrossEntropyLoss(), X, LABELS)
    model[4].eval()
    assert len(LBFGS(model, max_iter=2).minimize(pynet.CrossEntropyLoss(), X, LABELS).losses) == 3


def test_without_scipy_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match=r"pip install 'pynet\[lbfgs\]'"):
        LBFGS(network()).minimize(pynet.CrossEntropyLoss(), X, LABELS)


def test_it_is_shown_as_it_was_made():
    optimizer = LBFGS(network(), 5, weight_decay=0.1, groups=[{"parameters": "*.bias", "weight_decay": 0}])
    assert repr(optimizer) == (
        "LBFGS(max_iter=5, max_eval=15000, tolerance_grad=1e-05, tolerance_change=1e-09, history_size=10, "
        "weight_decay=0.1, groups=[{'parameters': ['*.bias'], 'weight_decay': 0.0}])"
    )
    assert "groups" not in repr(LBFGS(network()))
    with pytest.raises(ValueError, match=r"groups\[0\] has .*expected 'parameters' and 'weight_decay'"):
        LBFGS(network(), groups=[{"parameters": "*", "lr": 0.1}])
