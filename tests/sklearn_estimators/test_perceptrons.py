"""What the perceptrons of pynet.sklearn can do and scikit-learn's cannot."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from estimator_networks import AbsoluteError, Doubling, network
from sklearn.utils.class_weight import compute_sample_weight

import pynet
from pynet.callbacks import Callback, LRScheduler
from pynet.sklearn import MLPClassifier, MLPRegressor, NetClassifier, NetRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

random = np.random.default_rng(1)
X = random.normal(size=(90, 4))
labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
amounts = X @ [1.0, -2.0, 0.5, 0.0]
held_X = random.normal(size=(40, 4))
held_labels = (held_X[:, 0] > 0).astype(int) + (held_X[:, 1] > 0.5)


def kinds(estimator):
    return [type(layer).__name__ for layer in estimator.model_]


def log_loss(probabilities, y):
    return -np.log(probabilities[np.arange(len(y)), y]).mean()


def test_that_arguments_say_which_layers_there_are():
    made = MLPClassifier((5, 6), ["tanh", pynet.LeakyReLU(0.2)], dropout=0.1, batch_norm=True, max_iter=1)
    made.fit(X, labels)
    hidden = ["Linear", "BatchNorm", "Tanh", "Dropout", "Linear", "BatchNorm", "LeakyReLU", "Dropout"]
    assert kinds(made) == [*hidden, "Linear"]
    assert made.model_[6].slope == 0.2
    assert [W.shape for W in made.coefs_] == [(4, 5), (5, 6), (6, 3)]
    assert [b.shape for b in made.intercepts_] == [(5,), (6,), (3,)]
    made.coefs_[0][...] = 0  # they are the network's own
    assert not made.model_[0].W.any()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("leaky_relu", pynet.LeakyReLU),
        ("elu", pynet.ELU),
        ("selu", pynet.SELU),
        ("gelu", pynet.GELU),
        ("silu", pynet.SiLU),
        ("mish", pynet.Mish),
        ("softplus", pynet.Softplus),
        ("softsign", pynet.Softsign),
        ("hardtanh", pynet.Hardtanh),
        ("relu6", pynet.ReLU6),
        ("hardsigmoid", pynet.Hardsigmoid),
        ("hardswish", pynet.Hardswish),
        ("logsigmoid", pynet.LogSigmoid),
    ],
)
def test_that_activations_beyond_scikit_learns_have_names(name, kind):
    made = MLPClassifier((6,), name, max_iter=120, learning_rate_init=0.05, random_state=0).fit(X, labels)
    assert type(made.model_[1]) is kind
    assert made.score(X, labels) > 0.8


@pytest.mark.parametrize("activation", [Doubling, Doubling()], ids=["class", "module"])
def test_that_an_activation_may_be_ones_own(activation):
    made = MLPRegressor((5, 5), activation, max_iter=3, random_state=0).fit(X, amounts)
    assert kinds(made) == ["Linear", "Doubling", "Linear", "Doubling", "Linear"]
    assert made.model_[1] is not made.model_[3]
    W, b = made.coefs_, made.intercepts_
    by_hand = 2 * (2 * (X @ W[0] + b[0]) @ W[1] + b[1]) @ W[2] + b[2]
    np.testing.assert_allclose(made.predict(X), by_hand[:, 0], rtol=1e-9, atol=1e-12)


def test_that_transform_gives_the_last_hidden_layer():
    made = MLPClassifier((5, 6), "tanh", max_iter=3, random_state=0, dropout=0.5).fit(X, labels)
    W, b = made.coefs_, made.intercepts_
    by_hand = np.tanh(np.tanh(X @ W[0] + b[0]) @ W[1] + b[1])
    np.testing.assert_allclose(made.transform(X), by_hand, rtol=1e-9)
    assert made.get_feature_names_out().tolist() == [f"mlpclassifier{i}" for i in range(6)]
    pandas = pytest.importorskip("pandas")
    assert isinstance(made.set_output(transform="pandas").transform(X), pandas.DataFrame)


@pytest.mark.parametrize("data", ["float32", "float64", "int32"])
@pytest.mark.parametrize("wanted", [None, "float32", np.float64])
def test_that_it_computes_in_the_dtype_of_the_data_or_the_one_asked_for(wanted, data):
    numbers = (X * 10).astype(data)
    made = MLPRegressor((5,), max_iter=2, dtype=wanted).fit(numbers, amounts)
    expected = np.dtype(wanted or ("float32" if data == "float32" else "float64"))
    assert {array.dtype for array in made.model_.parameters()} == {expected}
    assert made.predict(numbers).dtype == made.transform(X).dtype == expected


class TestCriteria:
    def test_that_any_criterion_is_gone_down(self):
        options = {"solver": "sgd", "shuffle": False, "batch_size": 90, "max_iter": 4, "alpha": 0.0, "random_state": 0}
        made = MLPRegressor((5,), criterion=AbsoluteError(), **options).fit(X, amounts)
        start = MLPRegressor((5,), **options | {"max_iter": 1, "learning_rate_init": 1e-300}).fit(X, amounts)
        by_hand, criterion = start.model_, AbsoluteError()
        optimizer = pynet.optim.SGD(by_hand, 1e-3, momentum=0.9, nesterov=True)
        for _ in range(4):
            output = by_hand.train().forward(X)
            by_hand.backward(X, criterion.backward(output, amounts[:, None]))
            optimizer.step()
        for ours, theirs in zip(made.model_.parameters(), by_hand.parameters(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9)

    @pytest.mark.parametrize("make", [pynet.CrossEntropyLoss, lambda: pynet.CrossEntropyLoss(label_smoothing=0.1)])
    @pytest.mark.parametrize("y", [labels, labels > 0], ids=["three classes", "two classes"])
    def test_that_one_of_labels_gets_a_column_for_each_class(self, make, y):
        made = MLPClassifier((8,), criterion=make(), max_iter=150, learning_rate_init=0.01, random_state=0).fit(X, y)
        assert made.n_outputs_ == len(np.unique(y))
        assert made.out_activation_ == "softmax"
        np.testing.assert_allclose(made.predict_proba(X).sum(axis=1), 1, rtol=1e-12)
        assert made.score(X, y) > 0.9

    def test_that_one_of_probabilities_gets_a_softmax_before_it(self):
        made = MLPClassifier((8,), criterion=pynet.CrossEntropy, max_iter=20, random_state=0).fit(X, labels)
        plain = MLPClassifier((8,), max_iter=20, random_state=0).fit(X, labels)
        assert kinds(made)[-1] == "SoftMax"
        np.testing.assert_allclose(made.predict_proba(X), plain.predict_proba(X), rtol=1e-6)

    def test_that_one_without_labels_gets_columns_of_0_and_1(self):
        options = {"solver": "lbfgs", "alpha": 0.0, "max_iter": 500, "tol": 1e-9}
        made = MLPClassifier((), criterion=pynet.MSE(), **options).fit(X, labels)
        assert made.out_activation_ == "identity"
        columns = np.column_stack([X, np.ones(90)])
        best = columns @ np.linalg.lstsq(columns, np.eye(3)[labels])[0]
        np.testing.assert_allclose(made.model_(X), best, atol=1e-4)
        assert np.array_equal(made.predict(X), best.argmax(axis=1))

    def test_that_outputs_may_be_logarithms_of_what_is_predicted(self):
        class Poisson(pynet.Criterion):
            def forward(self, input, target):
                return (np.exp(input) - target * input).mean()

            def backward(self, input, target):
                return (np.exp(input) - target) / input.size

        made = MLPRegressor(
            (), criterion=Poisson(), out_activation="exp", solver="lbfgs", alpha=0.0, max_iter=500, tol=1e-9
        )
        made.fit(X, np.exp(0.3 * amounts + 1))
        np.testing.assert_allclose(made.coefs_[0][:, 0], [0.3, -0.6, 0.15, 0], atol=1e-4)
        np.testing.assert_allclose(made.predict(X), np.exp(0.3 * amounts + 1), rtol=1e-3)


class TestWeights:
    options = {"solver": "sgd", "batch_size": 90, "max_iter": 5, "alpha": 0.2, "random_state": 0}  # noqa: RUF012

    @pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
    @pytest.mark.parametrize("y", [labels, labels > 0, amounts], ids=["three classes", "two classes", "amounts"])
    def test_that_whole_weights_mean_repeated_rows(self, y, solver):
        estimator = MLPRegressor if y is amounts else MLPClassifier
        weight = random.integers(0, 4, size=90)
        options = self.options | {"batch_size": 1000, "solver": solver}
        weighted = estimator((6,), **options).fit(X, y, sample_weight=weight)
        repeated = estimator((6,), **options).fit(X.repeat(weight, axis=0), y.repeat(weight))
        for ours, theirs in zip(weighted.coefs_, repeated.coefs_, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)

    def test_that_rows_of_weight_0_might_as_well_not_be_there(self):
        weight = random.integers(0, 2, size=90) * 2.0
        there = weight > 0
        options = self.options | {"batch_size": 16, "batch_norm": True}
        ours = MLPClassifier((6,), **options).fit(X, labels, sample_weight=weight)
        theirs = MLPClassifier((6,), **options).fit(X[there], labels[there], sample_weight=weight[there])
        assert all(map(np.array_equal, ours.coefs_, theirs.coefs_))

    @pytest.mark.parametrize("class_weight", ["balanced", {"a": 2.0, "c": 0.5}])
    def test_that_class_weights_are_weights_of_rows(self, class_weight):
        y = np.array(list("abc"))[labels]
        ours = MLPClassifier((6,), class_weight=class_weight, **self.options).fit(X, y)
        weight = compute_sample_weight(class_weight, y)
        theirs = MLPClassifier((6,), **self.options).fit(X, y, sample_weight=weight)
        assert all(map(np.array_equal, ours.coefs_, theirs.coefs_))
        assert not np.allclose(ours.coefs_[0], MLPClassifier((6,), **self.options).fit(X, y).coefs_[0])


class TestStopping:
    def test_that_the_weights_of_the_best_validation_loss_are_taken_back(self):
        made = MLPClassifier(
            (50,), early_stopping=True, learning_rate_init=0.05, n_iter_no_change=5, alpha=0.0, random_state=0
        )
        made.fit(X, labels, eval_set=(held_X, held_labels))
        assert made.stopped_
        curve = made.validation_curve_
        assert len(curve) == len(made.validation_scores_) == made.n_iter_ < 200
        assert curve[-1] > min(curve) * 1.05
        np.testing.assert_allclose(log_loss(made.predict_proba(held_X), held_labels), min(curve), rtol=1e-9)
        assert made.score(held_X, held_labels) == made.best_validation_score_
        assert made.validation_scores_[np.argmin(curve)] == made.best_validation_score_
        assert made.best_loss_ is None

    def test_that_rows_are_held_out_of_each_class_in_proportion(self):
        seen = []

        class See(Callback):
            def on_fit_begin(self, trainer):
                seen.extend(part.samples for part in trainer._run[:2])

        MLPClassifier((4,), early_stopping=True, validation_fraction=0.2, max_iter=2, callbacks=See()).fit(X, labels)
        train, held_out = seen
        assert (len(train), len(held_out)) == (72, 18)
        np.testing.assert_allclose(np.bincount(held_out.y) / 18, np.bincount(labels) / 90, atol=1 / 18)
        both = np.concatenate([train.X, held_out.X])
        assert np.array_equal(both[np.lexsort(both.T)], X[np.lexsort(X.T)])

    def test_that_watched_rows_decide_nothing_without_early_stopping(self):
        options = {"hidden_layer_sizes": (5,), "max_iter": 8, "n_iter_no_change": 1, "random_state": 0}
        wrong = -100 * (held_X @ [1.0, -2.0, 0.5, 0.0])  # so that what is learned makes it worse
        watched = MLPRegressor(**options).fit(X, amounts, eval_set=(held_X, wrong))
        alone = MLPRegressor(**options).fit(X, amounts)
        assert all(map(np.array_equal, watched.coefs_, alone.coefs_))
        assert watched.n_iter_ == 8
        assert watched.validation_curve_[-1] > watched.validation_curve_[0]
        error = np.mean((watched.predict(held_X) - wrong) ** 2) / 2
        np.testing.assert_allclose(watched.validation_curve_[-1], error, rtol=1e-9)
        assert len(watched.validation_curve_) == 8
        assert alone.validation_curve_ == []

    def test_that_early_stopping_goes_with_partial_fit(self):
        made = MLPClassifier((50,), early_stopping=True, learning_rate_init=0.05, n_iter_no_change=3, random_state=0)
        for _ in range(300):
            made.partial_fit(X, labels, classes=[0, 1, 2], eval_set=(held_X, held_labels))
            if made.stopped_:
                break
        assert made.stopped_
        curve = made.validation_curve_
        assert len(curve) == made.n_iter_ == len(made.loss_curve_)
        np.testing.assert_allclose(log_loss(made.predict_proba(held_X), held_labels), min(curve), rtol=1e-9)
        before = [W.copy() for W in made.coefs_]
        made.partial_fit(X, labels)  # changes nothing any more
        assert all(map(np.array_equal, made.coefs_, before))

    def test_that_partial_fit_holds_rows_of_its_first_call_out(self):
        made = MLPRegressor((5,), early_stopping=True, validation_fraction=0.2, random_state=0)
        made.partial_fit(X, amounts)
        assert made.t_ == 72
        made.partial_fit(X, amounts)
        assert made.t_ == 72 + 90
        assert len(made.validation_curve_) == 2

    def test_that_partial_fit_goes_on_after_a_fit_that_stopped(self):
        made = MLPClassifier((50,), early_stopping=True, learning_rate_init=0.05, random_state=0).fit(X, labels)
        assert made.stopped_
        before = made.coefs_[0].copy()
        made.partial_fit(X, labels)
        assert not np.array_equal(made.coefs_[0], before)

    def test_that_epochs_one_by_one_are_those_of_a_fit(self):
        options = {"hidden_layer_sizes": (5,), "random_state": 0, "batch_size": 30}
        whole = MLPClassifier(max_iter=4, **options).fit(X, labels)
        parts = MLPClassifier(**options)
        for _ in range(4):
            parts.partial_fit(X, labels, classes=[0, 1, 2])
        assert all(map(np.array_equal, whole.coefs_, parts.coefs_))
        assert whole.loss_curve_ == parts.loss_curve_

    def test_that_each_call_has_its_own_share_of_l2(self):
        made = MLPRegressor((5,), alpha=0.02, random_state=0).partial_fit(X[:10], amounts[:10])
        assert made.optimizer_.weight_decay == 2 * 0.02 / 10  # of MSE, which is twice the loss
        made.partial_fit(X, amounts)
        assert made.optimizer_.weight_decay == 2 * 0.02 / 90

    def test_that_a_call_that_fails_leaves_nothing_to_go_on_from(self):
        made = MLPClassifier((5,), random_state=0)
        with pytest.raises(TypeError, match="eval_set"):
            made.partial_fit(X, labels, classes=[0, 1, 2], eval_set=X)
        made.partial_fit(X, labels, classes=[0, 1, 2])
        assert made.n_iter_ == 1

    def test_that_a_warm_start_goes_on_from_the_weights(self):
        made = MLPRegressor((5,), warm_start=True, max_iter=3, random_state=0).fit(X, amounts)
        first = made.loss_
        made.fit(X, amounts)
        assert made.loss_curve_[3] < first
        assert len(made.loss_curve_) == 6
        cold = MLPRegressor((5,), max_iter=3, random_state=0).fit(X, amounts).fit(X, amounts)
        assert len(cold.loss_curve_) == 3


def test_that_callbacks_see_the_run_and_may_be_made_from_the_optimizer():
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, trainer):
            seen.append((trainer.epoch, trainer.optimizer.lr, trainer.history["val_loss"][-1]))

    schedule = pynet.optim.lr_scheduler.StepLR
    made = MLPRegressor(
        (5,), max_iter=3, callbacks=[lambda optimizer: LRScheduler(schedule(optimizer, 1, 0.5)), Watch()]
    )
    made.fit(X, amounts, eval_set=(held_X, held_X[:, 0]))
    assert [epoch for epoch, _, _ in seen] == [1, 2, 3]
    np.testing.assert_allclose([lr for _, lr, _ in seen], [5e-4, 2.5e-4, 1.25e-4])
    np.testing.assert_allclose([loss / 2 for _, _, loss in seen], made.validation_curve_, rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"class_weight": {0: 5.0}}, {"class_weight": "balanced"}])
@pytest.mark.parametrize("weight", [None, np.arange(1.0, 91.0)])
@pytest.mark.parametrize("split", [True, False])
def test_that_weights_count_in_the_loss_of_watched_rows(options, weight, split):
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, trainer):
            seen.append(trainer.history["val_loss"][-1])

    made = MLPClassifier((5,), max_iter=3, early_stopping=split, random_state=0, callbacks=Watch(), **options)
    held_out = {} if split else {"eval_set": (X, labels, weight)}
    made.fit(X, labels, sample_weight=weight, **held_out)
    np.testing.assert_allclose(seen, made.validation_curve_, rtol=1e-9)
    if not split:
        of_class = compute_sample_weight(options.get("class_weight"), labels)
        each = of_class if weight is None else of_class * weight
        expected = log_loss_of_rows(made.predict_proba(X), labels) @ each / each.sum()
        np.testing.assert_allclose(made.validation_curve_[-1], expected, rtol=1e-9)


def log_loss_of_rows(probabilities, y):
    return -np.log(probabilities[np.arange(len(y)), y])


def test_that_figures_are_printed_on_request(capsys):
    made = MLPRegressor((5,), max_iter=2, verbose=True).fit(X, amounts)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"Iteration {i}, loss = {loss:.8f}" for i, loss in enumerate(made.loss_curve_, 1)]


class TestNetworksOfOnesOwn:
    @pytest.mark.parametrize("y", [labels, amounts], ids=["classes", "amounts"])
    def test_that_a_fit_is_what_a_trainer_does(self, y):
        estimator, criterion = (NetClassifier, pynet.CrossEntropyLoss()) if y is labels else (NetRegressor, pynet.MSE())
        model = network(4, 3 if y is labels else 1)
        made = estimator(model, lr=0.01, batch_size=30, max_iter=3, shuffle=False).fit(X, y)
        trainer = pynet.Trainer(model, criterion, pynet.optim.Adam(model, 0.01))
        history = trainer.fit(X, y, epochs=3, batch_size=30, shuffle=False)
        assert made.loss_curve_ == history["loss"]
        assert all(map(np.array_equal, made.model_.parameters(), model.parameters()))

    def test_that_a_module_is_copied_and_trained(self):
        module = pynet.Sequential(pynet.Linear(4, 3), Doubling()).astype(np.float32)
        before = module[0].W.copy()
        made = NetClassifier(module, lr=0.05, max_iter=30).fit(X, labels)
        assert np.array_equal(module[0].W, before)
        assert made.model_[0].W.dtype == np.float32
        assert made.score(X, labels) > 0.7

    def test_that_two_classes_may_have_one_column_or_two(self):
        for columns in (1, 2):
            made = NetClassifier(lambda n=columns: pynet.Linear(4, n), lr=0.1, max_iter=50).fit(X, X[:, 0] > 0)
            assert made.predict_proba(X).shape == (90, 2)
            assert made.score(X, X[:, 0] > 0) > 0.9

    def test_that_any_optimizer_and_criterion_take_their_arguments(self):
        made = NetRegressor(
            network,
            criterion=AbsoluteError,
            optimizer=pynet.optim.SGD,
            optimizer__momentum=0.5,
            lr=0.2,
            module__hidden=3,
        )
        made.fit(X, amounts)
        assert (made.optimizer_.momentum, made.optimizer_.lr) == (0.5, 0.2)
        assert isinstance(made.criterion_, AbsoluteError)

    def test_that_images_keep_their_axes(self):
        images = X.reshape(90, 2, 2)
        module = pynet.Sequential(pynet.Flatten(), pynet.Linear(4, 3))
        made = NetClassifier(module, lr=0.05, max_iter=30).fit(images, labels)
        assert made.predict(images).shape == (90,)


def test_that_lbfgs_gives_back_the_weights_of_a_fit_that_is_broken_off():
    class Stops(pynet.MSE):
        left = 1000

        def forward(self, input, target):
            Stops.left -= 1
            if not Stops.left:
                raise KeyboardInterrupt
            return super().forward(input, target)

    made = MLPRegressor((8,), solver="lbfgs", criterion=Stops, warm_start=True, max_iter=3, random_state=0)
    expected = made.fit(X, amounts).predict(X)
    Stops.left = 20
    with pytest.raises(KeyboardInterrupt):
        made.set_params(max_iter=100).fit(X, 3 * amounts)
    assert np.array_equal(made.predict(X), expected)
    assert made.n_iter_ <= 3
