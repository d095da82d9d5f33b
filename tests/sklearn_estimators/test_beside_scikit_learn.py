"""Beside scikit-learn's own perceptrons: the same weights from the same random state, step by step."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning

import pynet
import pynet.sklearn as ours

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

random = np.random.default_rng(0)
X = random.normal(size=(60, 5))
scores = X @ random.normal(size=(5, 3)) + np.sin(X[:, :3])
TARGETS = {
    "two classes": ("MLPClassifier", np.where(scores[:, 0] > 0, "yes", "no")),
    "three classes": ("MLPClassifier", scores.argmax(axis=1)),
    "labels": ("MLPClassifier", (scores > 0).astype(int)),
    "amounts": ("MLPRegressor", scores[:, 0]),
    "columns of amounts": ("MLPRegressor", scores[:, :2]),
}
# Few epochs in one order of rows, in batches that are full. scikit-learn's Adam adds epsilon in another place.
SAME = {"shuffle": False, "batch_size": 20, "max_iter": 5, "hidden_layer_sizes": (7, 4), "random_state": 3, "tol": 0.0}
OPTIONS = [
    {"solver": "sgd"},
    {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.1},
    {"solver": "sgd", "momentum": 0.0, "activation": "tanh", "alpha": 0.5},
    {"solver": "adam", "epsilon": 1e-14, "activation": "logistic"},
    {"solver": "adam", "epsilon": 1e-14, "alpha": 2.0},
    {"solver": "sgd", "hidden_layer_sizes": ()},
    {"solver": "sgd", "activation": "identity", "hidden_layer_sizes": 3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("task", TARGETS)
def test_that_weights_are_scikit_learns_after_every_step(task, options):
    name, y = TARGETS[task]
    alpha = options.get("alpha", 0.0)
    made = [getattr(module, name)(**SAME | options | {"alpha": alpha}) for module in (ours, neural_network)]
    mine, theirs = (estimator.fit(X, y) for estimator in made)
    for a, b in zip(mine.coefs_ + mine.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
    for attribute in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(mine, attribute) == getattr(theirs, attribute), attribute
    np.testing.assert_allclose(
        mine.predict(X) if name == "MLPRegressor" else mine.predict_proba(X),
        theirs.predict(X) if name == "MLPRegressor" else theirs.predict_proba(X),
        rtol=1e-6,
    )
    assert np.array_equal(mine.predict(X) == y, theirs.predict(X) == y) or name == "MLPRegressor"
    # The mean over several columns of amounts is scikit-learn's loss, its steps go down their sum; L2 is taken at the
    # end of an epoch here.
    if task != "columns of amounts" and not alpha:
        np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, rtol=1e-7)


@pytest.mark.parametrize("task", TARGETS)
def test_that_l2_of_the_default_size_leaves_biases_alone_as_in_scikit_learn(task):
    name, y = TARGETS[task]
    mine, theirs = (
        getattr(module, name)(**SAME | {"max_iter": 50, "solver": "sgd"}).fit(X, y) for module in (ours, neural_network)
    )
    assert type(mine.optimizer_) is pynet.optim.SGD
    for a, b in zip(mine.coefs_ + mine.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
@pytest.mark.parametrize("learning_rate", ["invscaling", "adaptive"])
def test_that_learning_rates_follow_scikit_learns(learning_rate, momentum, nesterov):
    options = {"solver": "sgd", "learning_rate": learning_rate, "momentum": momentum, "nesterovs_momentum": nesterov}
    options |= {"alpha": 0.0, "tol": 1e-2, "n_iter_no_change": 2, "power_t": 0.3}
    options |= {"max_iter": 60, "learning_rate_init": 0.02 if momentum else 0.2}
    mine, theirs = (module.MLPRegressor(**SAME | options).fit(X, scores[:, 0]) for module in (ours, neural_network))
    assert mine.n_iter_ == theirs.n_iter_
    assert mine.optimizer_.lr * 2 == pytest.approx(theirs._optimizer.learning_rate)  # of MSE, twice the loss
    assert mine.optimizer_.lr < options["learning_rate_init"] / 5
    np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, rtol=1e-6)
    for a, b in zip(mine.coefs_ + mine.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def test_that_a_learning_rate_may_fall_to_0():
    made = ours.MLPRegressor(solver="sgd", learning_rate="invscaling", learning_rate_init=5e-324, max_iter=3)
    assert made.fit(X, scores[:, 0]).optimizer_.lr == 0


@pytest.mark.parametrize("alpha", [0.0, 1e-4])
def test_that_adam_differs_from_scikit_learns_by_the_place_of_epsilon_alone(monkeypatch, alpha):
    def papers(adam, grads):
        adam.t += 1
        adam.ms = [adam.beta_1 * m + (1 - adam.beta_1) * grad for m, grad in zip(adam.ms, grads, strict=True)]
        adam.vs = [adam.beta_2 * v + (1 - adam.beta_2) * grad**2 for v, grad in zip(adam.vs, grads, strict=True)]
        means = [m / (1 - adam.beta_1**adam.t) for m in adam.ms]
        roots = [np.sqrt(v / (1 - adam.beta_2**adam.t)) for v in adam.vs]
        return [-adam.learning_rate_init * m / (root + adam.epsilon) for m, root in zip(means, roots, strict=True)]

    monkeypatch.setattr(neural_network._stochastic_optimizers.AdamOptimizer, "_get_updates", papers)
    constant = np.column_stack([X, np.zeros(60)])  # whose weights alpha alone moves
    mine, theirs = (
        module.MLPRegressor(**SAME | {"alpha": alpha, "max_iter": 20}).fit(constant, scores[:, 0])
        for module in (ours, neural_network)
    )
    for a, b in zip(mine.coefs_ + mine.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("task", TARGETS)
def test_that_lbfgs_comes_as_low_as_scikit_learns(task):
    name, y = TARGETS[task]
    options = {"solver": "lbfgs", "alpha": 0.3, "max_iter": 150, "activation": "tanh"}
    mine, theirs = (getattr(module, name)(**SAME | options).fit(X, y) for module in (ours, neural_network))
    if task == "columns of amounts":  # where scikit-learn's gradient is not that of its loss
        assert mine.score(X, y) > theirs.score(X, y) - 1e-3
    else:
        np.testing.assert_allclose(mine.loss_, theirs.loss_, rtol=0.02)


def test_that_it_warns_as_scikit_learn_does_when_epochs_run_out():
    for module in (ours, neural_network):
        with pytest.warns(ConvergenceWarning):
            module.MLPRegressor(max_iter=2, random_state=0).fit(X, scores[:, 0])


def test_that_weighted_rows_count_as_in_scikit_learn():
    weight = random.integers(1, 4, size=60)
    options = {"solver": "sgd", "alpha": 0.0, "batch_size": 60}
    for task in ("two classes", "three classes", "amounts"):
        name, y = TARGETS[task]
        mine, theirs = (
            getattr(module, name)(**SAME | options).fit(X, y, sample_weight=weight) for module in (ours, neural_network)
        )
        for a, b in zip(mine.coefs_ + mine.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
