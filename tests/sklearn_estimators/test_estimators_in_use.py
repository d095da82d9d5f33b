"""Estimators where people use them: pipelines, searches, calibration, tables, processes, pickles."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from estimator_networks import network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import pynet
from pynet.sklearn import MLPClassifier, MLPRegressor, NetClassifier, NetRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, labels = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
names = np.array(["setosa", "versicolor", "virginica"])[labels]
amounts = X[:, 0] * 2 - X[:, 1] ** 2
CLASSIFIERS = [
    MLPClassifier((16,), learning_rate_init=0.02, max_iter=60, random_state=0),
    NetClassifier(network, lr=0.02, max_iter=60, random_state=0),
]
REGRESSORS = [
    MLPRegressor((32,), learning_rate_init=0.02, max_iter=200, random_state=0),
    NetRegressor(network, lr=0.02, max_iter=200, module__hidden=32, random_state=0),
]
by_name = pytest.mark.parametrize


def kind(estimator):
    return type(estimator).__name__


@by_name("classifier", CLASSIFIERS, ids=kind)
def test_that_text_labels_are_learned_in_a_pipeline_over_two_processes(classifier):
    scores = cross_val_score(make_pipeline(StandardScaler(), classifier), X, names, cv=3, n_jobs=2)
    assert scores.min() > 0.88
    alone = cross_val_score(make_pipeline(StandardScaler(), classifier), X, names, cv=3)
    assert np.array_equal(scores, alone)


@by_name("regressor", REGRESSORS, ids=kind)
def test_that_amounts_are_learned(regressor):
    order = np.random.default_rng(0).permutation(150)
    assert clone(regressor).fit(X[order[:100]], amounts[order[:100]]).score(X[order[100:]], amounts[order[100:]]) > 0.9
    several = clone(regressor).fit(X, np.stack([amounts, -amounts, X[:, 2]], axis=1))
    assert several.predict(X).shape == (150, 3)
    assert several.score(X, np.stack([amounts, -amounts, X[:, 2]], axis=1)) > 0.9


@by_name("classifier", CLASSIFIERS, ids=kind)
def test_that_calibration_takes_the_probabilities(classifier):
    calibrated = CalibratedClassifierCV(classifier, cv=3).fit(X, names)
    assert calibrated.score(X, names) > 0.9


def test_that_a_search_varies_arguments_of_the_parts():
    grid = {"module__hidden": [1, 12], "optimizer__betas": [(0.9, 0.999)], "criterion__label_smoothing": [0.0, 0.1]}
    base = NetClassifier(network, criterion=pynet.CrossEntropyLoss, lr=0.05, max_iter=30, random_state=0)
    search = GridSearchCV(base, grid, cv=3).fit(X, labels)
    assert len(search.cv_results_["params"]) == 4
    best = search.best_estimator_
    assert best.model_[0].dim_out == search.best_params_["module__hidden"]
    assert best.criterion_.label_smoothing == search.best_params_["criterion__label_smoothing"]
    widths = clone(base).set_params(module__hidden=3, optimizer__eps=1e-3).fit(X, labels)
    assert (widths.model_[0].dim_out, widths.optimizer_.eps) == (3, 1e-3)
    assert widths.get_params()["module__hidden"] == 3


@by_name("labelled", [True, False])
@by_name("classifier", CLASSIFIERS, ids=kind)
def test_that_tables_keep_their_names(classifier, labelled):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcd"))
    target = pandas.Series(names) if labelled else pandas.Series(labels)
    fitted = clone(classifier).fit(table, target)
    assert fitted.feature_names_in_.tolist() == list("abcd")
    assert np.mean(fitted.predict(table) == target.to_numpy()) > 0.9
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(table[list("badc")])


@by_name("estimator", CLASSIFIERS + REGRESSORS, ids=kind)
def test_that_sparse_rows_give_what_dense_ones_give(estimator):
    sparse = pytest.importorskip("scipy.sparse")
    y = names if estimator in CLASSIFIERS else amounts
    thin = np.where(np.abs(X) > 0.5, X, 0)
    dense = clone(estimator).set_params(max_iter=5).fit(thin, y)
    for matrix in (sparse.csr_array(thin), sparse.csc_matrix(thin)):
        fitted = clone(estimator).set_params(max_iter=5).fit(matrix, y)
        assert np.array_equal(fitted.predict(matrix), dense.predict(thin))
        for ours, theirs in zip(fitted.model_.parameters(), dense.model_.parameters(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@by_name("classifier", CLASSIFIERS, ids=kind)
def test_that_rows_may_have_several_labels(classifier):
    sparse = pytest.importorskip("scipy.sparse")
    y = np.stack([labels == 0, labels == 1, X[:, 0] > 0, np.ones(150)], axis=1).astype(int)
    fitted = clone(classifier).fit(X, y)
    predicted, probabilities = fitted.predict(X), fitted.predict_proba(X)
    assert predicted.shape == probabilities.shape == y.shape
    assert np.array_equal(predicted, probabilities > 0.5)
    assert np.mean(predicted == y) > 0.9
    assert fitted.out_activation_ == "logistic"
    again = clone(classifier).fit(X, sparse.csr_array(y))
    assert np.array_equal(again.predict_proba(X), probabilities)


@by_name("estimator", CLASSIFIERS + REGRESSORS, ids=kind)
def test_that_clones_learn_alike_and_pickles_predict_alike(estimator):
    y = names if estimator in CLASSIFIERS else amounts
    fitted = clone(estimator).set_params(max_iter=5).fit(X, y)
    twin = clone(fitted).fit(X, y)
    copied = pickle.loads(pickle.dumps(fitted))
    for other in (twin, copied):
        assert np.array_equal(other.predict(X), fitted.predict(X))
        assert all(map(np.array_equal, other.model_.parameters(), fitted.model_.parameters()))
    assert not hasattr(clone(fitted), "model_")
    copied.partial_fit(X, y)
    fitted.partial_fit(X, y)
    for ours, theirs in zip(copied.model_.parameters(), fitted.model_.parameters(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@by_name(
    "estimator",
    [
        MLPClassifier((8,), max_iter=4, dropout=0.3, early_stopping=True),
        NetClassifier(lambda: pynet.Sequential(pynet.Linear(4, 9), pynet.Dropout(0.3), pynet.Linear(9, 3)), max_iter=4),
    ],
    ids=kind,
)
def test_that_random_state_alone_decides(estimator):
    def weights(random_state, seed, draws=0):
        np.random.seed(seed)
        fitted = clone(estimator).set_params(random_state=random_state).fit(X, labels)
        return np.concatenate([array.ravel() for array in fitted.model_.parameters()]), np.random.random()

    ours, after = weights(7, seed=1)
    again, _ = weights(7, seed=2)
    assert np.array_equal(ours, again)
    np.random.seed(1)
    assert after == np.random.random()  # the global generator is where it was
    assert not np.array_equal(ours, weights(8, seed=1)[0])
    assert np.array_equal(weights(np.random.RandomState(7), seed=1)[0], ours)
    assert np.array_equal(weights(None, seed=3)[0], weights(None, seed=3)[0])
    assert not np.array_equal(weights(None, seed=3)[0], weights(None, seed=4)[0])


def python(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return run.returncode, run.stdout.strip(), run.stderr.strip()


def test_that_pynet_alone_does_not_import_scikit_learn():
    assert python("import sys, pynet; print('sklearn' in sys.modules)") == (0, "False", "")


def test_that_without_scikit_learn_the_error_says_what_to_install():
    code, _, error = python("import sys; sys.modules['sklearn'] = None; import pynet.sklearn")
    assert code
    assert error.endswith("ImportError: pynet.sklearn needs scikit-learn: pip install 'pynet[sklearn]'")
