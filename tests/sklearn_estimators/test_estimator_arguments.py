"""Wrong arguments and data of estimators: named when they are used."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from estimator_networks import AbsoluteError, network
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import pynet
from pynet.sklearn import MLPClassifier, MLPRegressor, NetClassifier, NetRegressor

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
    (MLPClassifier(batch_norm="no"), TypeError, "batch_norm must be True or False, got 'no'"),
    (MLPClassifier(nesterovs_momentum="no"), TypeError, "nesterovs_momentum must be True or False, got 'no'"),
    (MLPClassifier(shuffle="no"), TypeError, "shuffle must be True or False, got 'no'"),
    (MLPClassifier(warm_start="no"), TypeError, "warm_start must be True or False, got 'no'"),
    (MLPRegressor(early_stopping="no"), TypeError, "early_stopping must be True or False, got 'no'"),
    (MLPClassifier(dtype="float16"), TypeError, "dtype must be float32 or float64"),
    (
        MLPClassifier(criterion="mse"),
        TypeError,
        "criterion must be a criterion .*, got 'mse': names are for regressors",
    ),
    (MLPClassifier(criterion=3), TypeError, "criterion must have forward and backward, got 3"),
    (MLPClassifier(out_activation="tanh"), ValueError, "out_activation must be one of"),
    (MLPClassifier(class_weight="even"), ValueError, "class_weight"),
    (MLPClassifier(callbacks=[3]), TypeError, "callbacks must be pynet.callbacks.Callback objects"),
    (MLPClassifier(callbacks=3), TypeError, "callbacks must be a list, got 3"),
    (MLPClassifier(callbacks=pynet.callbacks.EarlyStopping), TypeError, r"write EarlyStopping\(\)"),
    (MLPClassifier(callbacks=lambda optimizer: 3), TypeError, "Callback objects, got 3"),
    (
        MLPClassifier(callbacks=[pynet.callbacks.EarlyStopping()]),
        ValueError,
        "monitor is 'val_loss', .*: give fit an eval_set, or set early_stopping=True",
    ),
    (NetClassifier(network, hidden=3), TypeError, "NetClassifier has no argument 'hidden'"),
    (NetClassifier(3), TypeError, "module must be a module, or a function that makes one"),
    (NetClassifier(lambda: 3), TypeError, "model must be a module"),
    (NetClassifier(pynet.Linear(4, 3), module__hidden=3), ValueError, "module__hidden is for a function"),
    (NetClassifier(network, criterion=pynet.MSE(), criterion__size=3), ValueError, "is for a class of criteria"),
    (NetClassifier(network, lr=-1.0), ValueError, "lr must be"),
    (NetClassifier(network, optimizer=lambda model, lr: 3), TypeError, "optimizer must have step"),
    (NetClassifier(network, optimizer="adam"), TypeError, r"optimizer must be a class or function .*, got 'adam'"),
    (NetClassifier(network, optimizer=None), TypeError, r"optimizer must be a class or function .*, got None"),
    (
        NetClassifier(network, optimizer=pynet.optim.Adam(pynet.Linear(4, 3))),
        TypeError,
        r"optimizer must .*, got Adam\(",
    ),
    (NetClassifier(network, optimizer=pynet.optim.LBFGS), TypeError, r"what has step\(\), .*, got .*LBFGS"),
]


@pytest.mark.parametrize(("estimator", "error", "words"), BAD, ids=lambda value: str(value)[:60])
def test_that_a_wrong_argument_is_named_when_it_is_used(estimator, error, words):
    with pytest.raises(error, match=words):
        estimator.fit(X, labels)


names = np.array(["ash", "fir", "oak"])[labels]
COLUMNS = [
    (NetClassifier(pynet.Linear(4, 3)), labels > 0, r"has 3 outputs, expected 1 or 2 for 2 classes \[False, True\]"),
    (NetClassifier(pynet.Linear(4, 4)), names, r"has 4 outputs, expected 3 for 3 classes \['ash', 'fir', 'oak'\]"),
    (NetClassifier(pynet.Linear(4, 2)), names, r"has 2 outputs, expected 3 for 3 classes"),
    (NetClassifier(pynet.Linear(4, 1)), names, r"has 1 output, expected 3 for 3 classes"),
    (NetClassifier(pynet.Linear(4, 2), criterion=AbsoluteError), names, r"has 2 outputs, expected 3 for 3 classes"),
    (NetClassifier(pynet.Linear(4, 1), criterion=pynet.NLLLoss), labels > 0, "has 1 output, expected 2 for 2 classes"),
    (NetClassifier(pynet.Linear(4, 1)), np.eye(2, dtype=int)[labels // 2], "has 1 output, expected 2 for 2 labels"),
    (
        NetClassifier(pynet.Linear(4, 3), out_activation=lambda outputs: outputs[:, 0]),
        labels,
        r"has 3 outputs, of which out_activation makes shape \(2,\), expected 3 for 3 classes",
    ),
    (NetRegressor(pynet.Linear(4, 3)), amounts, r"has 3 outputs, expected 1 for 1 column of y and MSE\(\)"),
    (NetRegressor(pynet.Linear(4, 1)), X[:, :2], "has 1 output, expected 2 for 2 columns of y"),
    (NetRegressor(pynet.Linear(4, 3), criterion="huber"), X[:, :2], "has 3 outputs, expected 2 for 2 columns of y"),
    (
        NetRegressor(pynet.Linear(4, 3), criterion=pynet.PinballLoss([0.1, 0.9])),
        amounts,
        "has 3 outputs, expected 2 for 1 column of y and PinballLoss",
    ),
    (
        NetRegressor(pynet.Linear(4, 1), criterion=pynet.GaussianNLLLoss),
        amounts,
        "has 1 output, expected 2 for 1 column of y and GaussianNLLLoss",
    ),
]


@pytest.mark.parametrize(("estimator", "y", "words"), COLUMNS, ids=lambda value: str(value)[:60])
def test_that_a_module_with_the_wrong_number_of_outputs_is_named_before_it_is_trained(estimator, y, words):
    with pytest.raises(pynet.ShapeError, match=words):
        estimator.set_params(callbacks=Untouched()).fit(X, y)


class Untouched(pynet.callbacks.Callback):
    def on_fit_begin(self, trainer):
        pytest.fail("training began")


def test_that_a_criterion_of_ones_own_may_have_outputs_of_its_own():
    class Quartiles(pynet.Criterion):
        pinball = pynet.PinballLoss([0.25, 0.75])

        def forward(self, input, target):
            return self.pinball.forward(input, target)

        def backward(self, input, target):
            return self.pinball.backward(input, target)

    made = NetRegressor(pynet.Linear(4, 2), criterion=Quartiles, max_iter=2).fit(X, amounts)
    assert made.predict(X).shape == (90, 2)


def test_that_wrong_data_are_named():
    made = MLPClassifier((3,), max_iter=2)
    with pytest.raises(ValueError, match="several columns of classes"):
        made.fit(X, np.stack([labels, labels], axis=1))
    with pytest.raises(ValueError, match="sample_weight has shape"):
        made.fit(X, labels, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match=r"sample_weight must be finite and not negative, got -1\.0 in row 0"):
        made.fit(X, labels, sample_weight=-np.ones(90))
    for pairs in ([(X, labels)], [(X, labels), (X, labels)]):
        with pytest.raises(TypeError, match=r"got a list of pairs: give the pair itself"):
            made.fit(X, labels, eval_set=pairs)
    with pytest.raises(TypeError, match=r"eval_set must be \(X, y\) or \(X, y, sample_weight\), got a tuple of 4"):
        made.fit(X, labels, eval_set=(X, labels, labels, labels))
    with pytest.raises(TypeError, match=r"eval_set must be \(X, y\)"):
        made.fit(X, labels, eval_set=X)
    with pytest.raises(ValueError, match="the third of eval_set must be finite and not negative"):
        made.fit(X, labels, eval_set=(X, labels, -np.ones(90)))
    with pytest.raises(ValueError, match=r"class_weight must hold finite numbers that are not negative, got \{1: -2\}"):
        MLPClassifier(class_weight={1: -2}).fit(X, labels)
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


FAILING = [
    (MLPClassifier((5,), max_iter=2), {"activation": "foo"}, {}),
    (MLPClassifier((5,), max_iter=2), {"criterion": "huber"}, {}),
    (MLPClassifier((5,), max_iter=2), {"class_weight": "even"}, {}),
    (MLPClassifier((5,), max_iter=2), {"class_weight": {0: -2}}, {}),
    (MLPClassifier((5,), max_iter=2), {"criterion": pynet.MSELoss("none")}, {}),
    (MLPClassifier((5,), max_iter=2), {"callbacks": pynet.callbacks.EarlyStopping("val_loss")}, {}),
    (MLPRegressor((5,), max_iter=2), {"solver": "lbfgs", "criterion": pynet.MSELoss("none")}, {}),
    (MLPClassifier((5,), max_iter=2), {"callbacks": 3}, {}),
    (MLPClassifier((5,), max_iter=2), {"solver": "lbfgs"}, {"eval_set": (X[:, :2], labels > 0)}),
    (MLPClassifier((5,), max_iter=2), {}, {"eval_set": (X[:, :2], labels + 7)}),
    (MLPClassifier((5,), max_iter=2), {}, {"sample_weight": np.ones(3)}),
    (NetClassifier(network, max_iter=2), {"module": pynet.Linear(2, 5)}, {}),
    (NetClassifier(network, max_iter=2), {"optimizer": lambda model, lr: 3}, {}),
    (MLPRegressor((5,), max_iter=2), {"criterion": "poisson"}, {"eval_set": (X[:, :2], -np.ones(90))}),
]


@pytest.mark.parametrize(("estimator", "params", "options"), FAILING, ids=lambda value: str(value)[:40])
def test_that_a_fit_that_cannot_begin_leaves_everything_as_it_was(estimator, params, options):
    table = pytest.importorskip("pandas").DataFrame(X, columns=list("abcd"))
    new = clone(estimator)
    fitted = clone(estimator).fit(table, labels)
    expected, kept = fitted.predict(table), {name: value for name, value in vars(fitted).items() if name not in params}
    for made in (new, fitted):
        with pytest.raises((TypeError, ValueError)):
            made.set_params(**params).fit(X[:, :2], labels > 0, **options)
    assert {name: value for name, value in vars(fitted).items() if name not in params} == kept
    assert np.array_equal(fitted.predict(table), expected)
    with pytest.raises(NotFittedError):
        new.predict(X[:, :2])
    assert not hasattr(new, "n_features_in_")


def test_that_classes_stay_those_of_the_first_call():
    made = MLPClassifier((5,), max_iter=2).partial_fit(X, labels, classes=[0, 1, 2])
    made.partial_fit(X[:5], labels[:5]).partial_fit(X, labels, classes=[2, 1, 0])
    for other in (range(2), range(4)):
        with pytest.raises(
            ValueError, match=r"classes of partial_fit must be those of before, \[0, 1, 2\], got \[0, 1"
        ):
            made.partial_fit(X, labels, classes=other)
    assert made.n_iter_ == 3
    made = MLPClassifier((5,), max_iter=2, warm_start=True).fit(X, labels).fit(X, labels)
    with pytest.raises(ValueError, match=r"with warm_start the classes of y must be those of before, \[0, 1, 2\]"):
        made.fit(X, labels > 0)


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_that_a_warning_points_to_the_line_of_the_fit(make, solver):
    with pytest.warns(ConvergenceWarning) as caught:
        make((5,), max_iter=2, solver=solver, tol=0.0).fit(X, labels)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}])
def test_that_weights_need_a_criterion_that_knows_its_rows(options):
    class Own:
        def forward(self, input, target):
            return np.mean((input - target) ** 2)

        def backward(self, input, target):
            return 2 * (input - target) / input.size

    made = MLPRegressor((5,), max_iter=2, criterion=Own(), **options).fit(X, amounts)
    before = made.coefs_[0].copy()
    with pytest.raises(NotImplementedError, match="Own must define row_losses"):
        made.fit(X, amounts, sample_weight=np.arange(90))
    assert np.array_equal(made.coefs_[0], before)
