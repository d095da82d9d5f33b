"""Wrong arguments and data of estimators: named when they are used."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from estimator_networks import network

import pynet
from pynet.sklearn import MLPClassifier, MLPRegressor, NetClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

random = np.random.default_rng(1)
X = random.normal(size=(90, 4))
labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
amounts = X @ [1.0, -2.0, 0.5, 0.0]

BAD = [
    (MLPClassifier(hidden_layer_sizes=(5, 0)), ValueError, "hidden_layer_sizes"),
    (MLPClassifier(hidden_layer_sizes=(2.5,)), TypeError, "hidden_layer_sizes"),
    (MLPClassifier(activation="swish"), ValueError, "activation must be one of 'identity'"),
    (MLPClassifier(activation=3), TypeError, "activation must be a name, a module"),
    (MLPClassifier((3, 3), activation=["relu"]), ValueError, "activation has 1 entries, expected one for each of 2"),
    (MLPClassifier(solver="newton"), ValueError, "solver must be one of"),
    (MLPClassifier(solver="lbfgs", dropout=0.5), ValueError, "solver 'lbfgs' does without dropout"),
    (MLPClassifier(solver="lbfgs", early_stopping=True), ValueError, "without early_stopping"),
    (MLPClassifier(alpha=-1.0), ValueError, "alpha must be finite and at least 0"),
    (MLPClassifier(batch_size=0), ValueError, "batch_size"),
    (MLPClassifier(batch_size="all"), TypeError, "batch_size"),
    (MLPClassifier(learning_rate="fast"), ValueError, "learning_rate must be one of"),
    (MLPClassifier(learning_rate_init=0.0), ValueError, "learning_rate_init"),
    (MLPClassifier(max_iter=0), ValueError, "max_iter"),
    (MLPClassifier(tol=float("nan")), ValueError, "tol"),
    (MLPClassifier(momentum=1.5), ValueError, "momentum"),
    (MLPClassifier(beta_1=1.0), ValueError, "beta_1"),
    (MLPClassifier(epsilon=0.0), ValueError, "epsilon"),
    (MLPClassifier(validation_fraction=0.0), ValueError, "validation_fraction"),
    (MLPClassifier(n_iter_no_change=0), ValueError, "n_iter_no_change"),
    (MLPClassifier(dropout=1.0), ValueError, "dropout"),
    (MLPClassifier(dtype="float16"), TypeError, "dtype must be float32 or float64"),
    (MLPClassifier(criterion="mse"), TypeError, "criterion must have forward and backward"),
    (MLPClassifier(out_activation="tanh"), ValueError, "out_activation must be one of"),
    (MLPClassifier(class_weight="even"), ValueError, "class_weight"),
    (MLPClassifier(callbacks=[3]), TypeError, "callbacks must be pynet.callbacks.Callback objects"),
    (NetClassifier(network, hidden=3), TypeError, "NetClassifier has no argument 'hidden'"),
    (NetClassifier(3), TypeError, "module must be a module, or a function that makes one"),
    (NetClassifier(lambda: 3), TypeError, "model must be a module"),
    (NetClassifier(pynet.Linear(4, 3), module__hidden=3), ValueError, "module__hidden is for a function"),
    (NetClassifier(network, criterion=pynet.MSE(), criterion__size=3), ValueError, "is for a class of criteria"),
    (NetClassifier(network, lr=-1.0), ValueError, "lr must be"),
    (NetClassifier(network, optimizer=lambda model, lr: 3), TypeError, "optimizer must have step"),
]


@pytest.mark.parametrize(("estimator", "error", "words"), BAD, ids=lambda value: str(value)[:60])
def test_that_a_wrong_argument_is_named_when_it_is_used(estimator, error, words):
    with pytest.raises(error, match=words):
        estimator.fit(X, labels)


def test_that_wrong_data_are_named():
    made = MLPClassifier((3,), max_iter=2)
    with pytest.raises(ValueError, match="several columns of classes"):
        made.fit(X, np.stack([labels, labels], axis=1))
    with pytest.raises(ValueError, match="sample_weight has shape"):
        made.fit(X, labels, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match=r"sample_weight must be finite and not negative, got -1\.0 in row 0"):
        made.fit(X, labels, sample_weight=-np.ones(90))
    with pytest.raises(TypeError, match="eval_set must be a pair"):
        made.fit(X, labels, eval_set=X)
    with pytest.raises(ValueError, match="does without eval_set"):
        MLPClassifier(solver="lbfgs").fit(X, labels, eval_set=(X, labels))
    with pytest.raises(ValueError, match="n_samples = 1 rows out, which leaves none"):
        MLPClassifier(early_stopping=True).fit(X[:1], labels[:1])
    with pytest.raises(ValueError, match=r"classes \[7\], which are not in \[0, 1, 2\]"):
        made.fit(X, labels, eval_set=(X, np.full(90, 7)))
    with pytest.raises(ValueError, match="classes must be given at the first call"):
        MLPClassifier().partial_fit(X, labels)
    with pytest.raises(ValueError, match="give partial_fit a dict"):
        MLPClassifier(class_weight="balanced").partial_fit(X, labels, classes=[0, 1, 2])
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(pynet.DivergedError, match="the loss is"):
        MLPRegressor(solver="sgd", learning_rate_init=1e6, random_state=0).fit(X * 1e3, amounts * 1e3)
