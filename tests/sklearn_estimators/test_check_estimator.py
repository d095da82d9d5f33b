"""scikit-learn's own checks of what an estimator must do, without exception."""

import pytest

pytest.importorskip("sklearn")

from estimator_networks import network
from sklearn.utils.estimator_checks import parametrize_with_checks

from pynet.sklearn import MLPClassifier, MLPRegressor, NetClassifier, NetRegressor

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPRegressor(max_iter=100),
    NetClassifier(network, max_iter=100, lr=0.01),
    NetRegressor(network, max_iter=100, lr=0.01),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(ESTIMATORS)
def test_that_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)
