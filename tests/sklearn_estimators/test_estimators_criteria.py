"""What estimators make of pynet's criteria: the layer before them, and what their outputs mean."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from estimator_networks import AbsoluteError
from sklearn.metrics import d2_pinball_score
from sklearn.model_selection import cross_val_score

import pynet
from pynet.sklearn import MLPClassifier, MLPRegressor, NetClassifier, NetRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

random = np.random.default_rng(1)
X = random.normal(size=(120, 4))
labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
amounts = X @ [1.0, -2.0, 0.5, 0.0]
EXACT = {"solver": "lbfgs", "alpha": 0.0, "max_iter": 1000, "tol": 1e-9, "random_state": 0}


@pytest.mark.parametrize("y", [labels > 0, np.eye(3, dtype=int)[labels]], ids=["two classes", "several labels"])
def test_that_logistic_outputs_are_trained_in_a_compiled_step(y):
    made = MLPClassifier((8,), max_iter=60, learning_rate_init=0.02, random_state=0).fit(X, y)
    assert isinstance(made.criterion_, pynet.BCEWithLogitsLoss)
    assert pynet.compile_step(made.model_, made.criterion_, made.optimizer_).compiled
    scores = made.model_(X)
    np.testing.assert_allclose(made._predictions(X), 1 / (1 + np.exp(-scores)), rtol=1e-12)
    assert made.score(X, y) > 0.85


def test_that_the_loss_of_several_labels_adds_them_up_as_scikit_learns_does():
    y = np.eye(3, dtype=int)[labels]
    made = MLPClassifier((8,), max_iter=3, alpha=0.0, random_state=0).fit(X, y, eval_set=(X, y))
    p = made.predict_proba(X)
    cost = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1).mean()
    assert made.validation_curve_[-1] == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize(
    ("criterion", "last", "y"),
    [
        (pynet.BCELoss, "Sigmoid", labels > 0),
        (pynet.NLLLoss(), "LogSoftMax", labels),
        (pynet.KLDivLoss("batchmean"), "LogSoftMax", labels),
        (pynet.BCEWithLogitsLoss(pos_weight=1.0), "Linear", labels > 0),
        (pynet.BCEWithLogitsLoss, "Linear", labels),
    ],
    ids=repr,
)
def test_that_classifiers_put_the_layer_before_a_criterion_that_it_wants(criterion, last, y):
    made = MLPClassifier((8,), criterion=criterion, max_iter=150, learning_rate_init=0.02, random_state=0).fit(X, y)
    assert type(made.model_[-1]).__name__ == last
    p = made.predict_proba(X)
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    assert made.score(X, y) > 0.9


class TestProbabilities:
    options = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.02, "max_iter": 20, "random_state": 0}  # noqa: RUF012

    @pytest.mark.parametrize("criterion", [pynet.BCEWithLogitsLoss, pynet.BCELoss])
    def test_that_those_of_classes_learned_apart_are_divided_by_their_sum(self, criterion):
        made = MLPClassifier(criterion=criterion, **self.options).fit(X, labels)
        apart = made.model_(X) if criterion is pynet.BCELoss else 1 / (1 + np.exp(-made.model_(X)))
        shares = apart / apart.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(made.predict_proba(X), shares, rtol=1e-12)
        np.testing.assert_allclose(made.predict_log_proba(X), np.log(shares), atol=1e-12)
        assert cross_val_score(made, X, labels, cv=2, scoring="roc_auc_ovr", error_score="raise").min() > 0.9

    def test_that_classes_have_equal_shares_where_all_are_impossible(self):
        made = MLPClassifier(criterion=pynet.BCEWithLogitsLoss, **self.options).fit(X, labels)
        made.intercepts_[-1][...] = -1e4
        assert np.array_equal(made.predict_proba(X), np.full((120, 3), 1 / 3))

    def test_that_those_of_several_labels_need_no_sum(self):
        y = np.column_stack([labels > 0, labels > 1]).astype(int)
        made = MLPClassifier(criterion=pynet.BCEWithLogitsLoss, **self.options).fit(X, y)
        np.testing.assert_allclose(made.predict_proba(X), 1 / (1 + np.exp(-made.model_(X))), rtol=1e-12)

    @pytest.mark.parametrize(
        ("criterion", "y"),
        [
            (pynet.MSELoss, labels),
            (pynet.MSE(), labels > 0),
            (pynet.HuberLoss, labels),
            (pynet.L1Loss(), labels > 0),
            (pynet.PinballLoss([0.5]), labels > 0),
            (AbsoluteError, labels),
            (AbsoluteError(), labels > 0),
        ],
    )
    def test_that_there_are_none_without_a_criterion_or_an_activation_that_gives_them(self, criterion, y):
        made = MLPClassifier(criterion=criterion, **self.options)
        for _ in ("before it is fitted", "after"):
            for name in ("predict_proba", "predict_log_proba"):
                assert not hasattr(made, name)
                with pytest.raises(AttributeError, match=name) as raised:
                    getattr(made, name)
                kind = criterion if isinstance(criterion, type) else type(criterion)
                assert f"criterion {kind.__name__} gives no probabilities" in str(raised.value.__cause__)
            made.fit(X, y)
        assert np.mean(made.predict(X) == y) == made.score(X, y) > 0.6
        made.set_params(out_activation="softmax" if y is labels else "logistic").fit(X, y)
        np.testing.assert_allclose(made.predict_proba(X).sum(axis=1), 1, rtol=1e-12)

    def test_that_a_function_of_ones_own_makes_what_it_makes(self):
        made = MLPClassifier(criterion=pynet.MSELoss, out_activation=np.abs, **self.options).fit(X, labels)
        assert np.array_equal(made.predict_proba(X), np.abs(made.model_(X)))


class MyNLLLoss(pynet.NLLLoss):
    """A class of one's own below one of pynet's."""


DISTRIBUTIONS = [pynet.CrossEntropyLoss, pynet.CrossEntropy, pynet.NLLLoss, MyNLLLoss, pynet.KLDivLoss]


@pytest.mark.parametrize("y", [labels > 0, labels], ids=["two classes", "three classes"])
@pytest.mark.parametrize("criterion", DISTRIBUTIONS)
def test_that_criteria_of_distributions_get_a_column_for_each_class(criterion, y):
    made = MLPClassifier((8,), criterion=criterion(), max_iter=150, learning_rate_init=0.02, random_state=0).fit(X, y)
    assert made.n_outputs_ == len(np.unique(y))
    np.testing.assert_allclose(made.predict_proba(X).sum(axis=1), 1, rtol=1e-12)
    assert made.score(X, y) > 0.9


def test_that_a_function_is_asked_for_a_column_for_each_class_before_a_log_softmax():
    def network(n_features, n_outputs):
        return pynet.Sequential(pynet.Linear(n_features, n_outputs), pynet.LogSoftMax())

    made = NetClassifier(network, criterion=pynet.KLDivLoss(), lr=0.05, max_iter=100, random_state=0)
    assert made.fit(X, X[:, 0] > 0).score(X, X[:, 0] > 0) > 0.9
    assert made.n_outputs_ == 2


@pytest.mark.parametrize("criterion", DISTRIBUTIONS)
def test_that_several_labels_in_a_row_are_no_distribution(criterion):
    y = np.column_stack([labels > 0, labels > 1]).astype(int)
    for made in (MLPClassifier(criterion=criterion()), NetClassifier(pynet.Linear(4, 2), criterion=criterion)):
        with pytest.raises(ValueError, match=f"{criterion.__name__} finds one class .*: use BCEWithLogitsLoss"):
            made.fit(X, y)


def test_that_classes_are_no_logarithms():
    with pytest.raises(ValueError, match=r"criterion KLDivLoss\(log_target=True\) takes logarithms"):
        MLPClassifier(criterion=pynet.KLDivLoss(log_target=True)).fit(X, labels)


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "huber", "poisson"])
def test_that_regressors_know_scikit_learns_names(name):
    criteria = {"absolute_error": pynet.L1Loss(), "huber": pynet.HuberLoss, "poisson": pynet.PoissonNLLLoss()}
    y = np.abs(amounts)
    by_name, by_object = (
        MLPRegressor((5,), criterion=criterion, max_iter=5, random_state=0).fit(X, y)
        for criterion in (name, criteria.get(name))
    )
    assert np.array_equal(by_name.predict(X), by_object.predict(X))
    assert by_name.loss_curve_ == by_object.loss_curve_
    with pytest.raises(ValueError, match="criterion must be one of 'squared_error', 'absolute_error'"):
        MLPRegressor(criterion="quadratic").fit(X, y)
    with pytest.raises(TypeError, match=r"criterion must be a criterion .*, got 'huber': names are for regressors"):
        MLPClassifier(criterion="huber").fit(X, labels)


def test_that_counts_are_predicted_from_their_logarithms():
    y = np.exp(0.3 * amounts + 1)
    made = MLPRegressor((), criterion="poisson", **EXACT).fit(X, y)
    np.testing.assert_allclose(made.coefs_[0][:, 0], [0.3, -0.6, 0.15, 0], atol=1e-4)
    np.testing.assert_allclose(made.predict(X), y, rtol=1e-3)


@pytest.mark.parametrize("criterion", ["poisson", pynet.PoissonNLLLoss(log_input=False)])
def test_that_counts_are_not_negative(criterion):
    y = np.abs(amounts)
    for made in (MLPRegressor(criterion=criterion), NetRegressor(pynet.Linear(4, 1), criterion=criterion)):
        with pytest.raises(ValueError, match=r"y must not be negative with criterion PoissonNLLLoss, got -0\.25"):
            made.fit(X, np.append(y[1:], -0.25))
        with pytest.raises(ValueError, match="y must not be negative"):
            made.fit(X, y, eval_set=(X, -y))


@pytest.mark.parametrize("criterion", DISTRIBUTIONS)
def test_that_amounts_are_no_classes(criterion):
    for made in (MLPRegressor(criterion=criterion), NetRegressor(pynet.Linear(4, 1), criterion=criterion())):
        for y in (amounts, labels.astype(float), np.ones(120)):
            with pytest.raises(
                ValueError, match=f"criterion {criterion.__name__} is for distributions: y must be rows"
            ):
                made.fit(X, y)
    with pytest.raises(ValueError, match="is for distributions"):
        MLPRegressor(criterion=criterion).fit(X, np.stack([amounts, 1 - amounts], axis=1))
    with pytest.raises(ValueError, match="is for distributions"):
        MLPRegressor(criterion=criterion).fit(X, np.abs(X))


def shares_of(logs):
    return np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("criterion", [*DISTRIBUTIONS, lambda: pynet.KLDivLoss(log_target=True)])
def test_that_shares_in_a_whole_may_be_amounts(criterion):
    y = shares_of(X[:, :3] * 0.7 + 0.2)
    of_logs = getattr(criterion(), "log_target", False)
    made = MLPRegressor((), criterion=criterion(), **EXACT).fit(X, np.log(y) if of_logs else y)
    np.testing.assert_allclose(made.predict(X), y, atol=1e-3)


def test_that_huber_does_not_follow_what_is_far_off():
    y = amounts.copy()
    y[:10] += 1000
    made = MLPRegressor((), criterion=pynet.HuberLoss(delta=0.1), **EXACT).fit(X, y)
    assert np.abs(made.predict(X) - amounts).max() < 0.2


class TestQuantiles:
    noisy = amounts + random.exponential(size=120)

    def test_that_a_column_for_each_is_predicted(self):
        shares = [0.1, 0.5, 0.9]
        made = MLPRegressor((16,), criterion=pynet.PinballLoss(shares), max_iter=1000, learning_rate_init=3e-3)
        made.set_params(random_state=0, tol=0.0).fit(X, self.noisy)
        found = made.predict(X)
        assert found.shape == (120, 3)
        np.testing.assert_allclose((self.noisy[:, None] <= found).mean(axis=0), shares, atol=0.08)

    @pytest.mark.parametrize(("shares", "best"), [([0.1, 0.5, 0.9], 1), ([0.05, 0.1, 0.45], 2), ([0.4, 0.8, 0.9], 0)])
    def test_that_the_one_nearest_to_the_median_is_scored(self, shares, best):
        made = MLPRegressor((16,), criterion=pynet.PinballLoss(shares), max_iter=300, learning_rate_init=0.01)
        made.set_params(random_state=0).fit(X, self.noisy, eval_set=(X, self.noisy))
        predicted, spread = made.predict(X)[:, best], ((self.noisy - self.noisy.mean()) ** 2).sum()
        error = ((self.noisy - predicted) ** 2).sum()
        assert made.score(X, self.noisy) == pytest.approx(1 - error / spread, rel=1e-12)
        assert made.validation_scores_[-1] == pytest.approx(made.score(X, self.noisy), rel=1e-9)
        assert cross_val_score(made, X, self.noisy, cv=2).min() > 0.3

    def test_that_any_of_them_is_scored_by_a_function(self):
        def lowest(model, X, y):
            return d2_pinball_score(y, model.predict(X)[:, 0], alpha=0.1)

        made = MLPRegressor((16,), criterion=pynet.PinballLoss([0.1, 0.5, 0.9]), max_iter=300, learning_rate_init=0.01)
        made.set_params(random_state=0)
        assert cross_val_score(made, X, self.noisy, cv=2, scoring=lowest).min() > 0.3
        with pytest.raises(ValueError, match="different number of output"):
            cross_val_score(made, X, self.noisy, cv=2, scoring="r2", error_score="raise")

    def test_that_they_are_of_one_column(self):
        with pytest.raises(ValueError, match="quantiles of one column, y has 2"):
            MLPRegressor((4,), criterion=pynet.PinballLoss([0.5])).fit(X, X[:, :2])


class MeanAndVariance(pynet.Module):
    """The exponential of the second half of the columns, so that variances are positive."""

    def forward(self, input):
        mean, log_variance = np.split(input, 2, axis=1)
        return np.hstack([mean, np.exp(log_variance)])

    def backward(self, input, grad_output):
        _mean, log_variance = np.split(input, 2, axis=1)
        d_mean, d_variance = np.split(grad_output, 2, axis=1)
        return np.hstack([d_mean, d_variance * np.exp(log_variance)])


def test_that_means_and_variances_are_learned_together():
    y = amounts + 0.5 * random.normal(size=120)
    made = NetRegressor(
        lambda n_features, n_outputs: pynet.Sequential(pynet.Linear(n_features, n_outputs), MeanAndVariance()),
        criterion=pynet.GaussianNLLLoss,
        lr=0.05,
        max_iter=300,
        random_state=0,
    )
    made.fit(X, y)
    assert made.n_outputs_ == 2
    assert made.predict(X).shape == (120,)
    assert made.score(X, y) > 0.9
    np.testing.assert_allclose(made.model_(X)[:, 1].mean(), 0.25, rtol=0.3)
