"""Weights of rows and of classes in a fit."""

import numpy as np
import pytest
from trained import X, amounts, classifier, labels, random, regressor, trainer_of

import pynet


def test_weights_are_as_good_as_repeated_rows():
    weights = random.integers(0, 4, 50)
    repeated = np.repeat(np.arange(50), weights)
    for criterion, y, make in (
        (pynet.CrossEntropyLoss(), labels, classifier),
        (pynet.CrossEntropyLoss(weight=[1, 2, 0.5], label_smoothing=0.1), labels, classifier),
        (pynet.MSELoss(), amounts, regressor),
        (pynet.MSE(), amounts, regressor),
    ):
        ours, theirs = make(), make()
        # Plain gradient steps of all rows at once, in which the unit of the weights is a factor of the rate.
        pynet.Trainer(ours, criterion, pynet.optim.SGD(ours, 0.01)).fit(
            X, y, epochs=1, batch_size=50, sample_weight=weights
        )
        if getattr(criterion, "weight", None) is not None:
            continue  # its own mean is over weights of classes: compared in the next test
        pynet.Trainer(theirs, criterion, pynet.optim.SGD(theirs, 0.01)).fit(
            X[repeated], y[repeated], epochs=1, batch_size=len(repeated)
        )
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9)


def test_equal_weights_change_nothing_and_classes_are_weighted_by_their_rows():
    def run(**weights):
        model = classifier()
        history = trainer_of(model).fit(X, labels, epochs=2, batch_size=16, seed=0, **weights)
        return history["loss"], model.state_dict()

    plain, same = run(), run(sample_weight=np.full(50, 7.0))
    assert same[0] == pytest.approx(plain[0], rel=1e-12)
    counts = np.bincount(labels)
    balanced, by_hand = run(class_weight="balanced"), run(sample_weight=(50 / (3 * counts))[labels])
    assert balanced[0] == by_hand[0] != plain[0]
    named, by_hand = run(class_weight={1: 5.0}), run(sample_weight=np.where(labels == 1, 5.0, 1.0))
    assert named[0] == by_hand[0]
    one_hot = trainer_of(classifier()).fit(
        X, pynet.data.one_hot(labels), epochs=2, batch_size=16, seed=0, class_weight="balanced"
    )
    assert one_hot["loss"] == pytest.approx(balanced[0], rel=1e-9)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ({"sample_weight": np.ones(49)}, pynet.ShapeError, r"sample_weight has shape \(49,\), expected \(50,\)"),
        ({"sample_weight": np.full(50, -1.0)}, ValueError, "sample_weight must be finite and not negative"),
        ({"sample_weight": np.full(50, np.nan)}, ValueError, "sample_weight must be finite and not negative"),
        ({"sample_weight": np.zeros(50)}, ValueError, "must not all be 0"),
        ({"class_weight": {9: 1.0}}, ValueError, "class_weight has the label 9"),
        ({"class_weight": {1: -1.0}}, ValueError, "class_weight must hold finite numbers"),
        ({"class_weight": "even"}, TypeError, "class_weight must be 'balanced' or a dict"),
    ],
)
def test_wrong_weights_raise_and_move_nothing(weights, error, message):
    model = classifier()
    before = model.state_dict()
    with pytest.raises(error, match=message):
        trainer_of(model).fit(X, labels, **weights)
    assert all((array == before[name]).all() for name, array in model.state_dict().items())


def test_a_criterion_without_row_losses_says_what_weights_need():
    class Half(pynet.Criterion):
        def forward(self, input, target):
            return np.sum((input - target) ** 2) / 2

        def backward(self, input, target):
            return input - target

    with pytest.raises(NotImplementedError, match="Half must define row_losses"):
        trainer_of(regressor(), Half()).fit(X, amounts, sample_weight=np.ones(50))


def test_weights_count_in_the_loss_of_rows_held_out_and_not_in_metrics():
    weight = random.uniform(0, 3, 50)

    def last(**options):
        trainer = trainer_of(classifier(), metrics=["accuracy"])
        history = trainer.fit(X, labels, epochs=2, seed=0, **options)
        return trainer, history.last()

    def expected(trainer, rows):
        losses = pynet.CrossEntropyLoss(reduction="none")(trainer.model(X[rows]), labels[rows])
        return losses @ weight[rows] / weight[rows].sum(), trainer.evaluate(X[rows], labels[rows])["accuracy"]

    trainer, figures = last(validation_data=(X, labels, weight))
    assert (figures["val_loss"], figures["val_accuracy"]) == pytest.approx(expected(trainer, np.arange(50)), rel=1e-9)
    assert last(validation_data=(X, labels))[1]["val_loss"] != pytest.approx(figures["val_loss"], rel=1e-6)

    held_out = []

    class See(pynet.callbacks.Callback):
        def on_fit_begin(self, trainer):
            held_out.append(trainer._run.validation.rows)

    trainer = trainer_of(classifier(), callbacks=[See()], metrics=["accuracy"])
    figures = trainer.fit(X, labels, epochs=2, seed=0, validation_split=0.3, sample_weight=weight).last()
    assert (figures["val_loss"], figures["val_accuracy"]) == pytest.approx(expected(trainer, held_out[0]), rel=1e-9)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"validation_data": (X, labels, np.ones(3))},
            pynet.ShapeError,
            r"weight_val has shape \(3,\), expected \(50,\)",
        ),
        ({"validation_data": (X, labels, -np.ones(50))}, ValueError, "weight_val must be finite and not negative"),
        (
            {"validation_data": (X, labels, np.zeros(50))},
            ValueError,
            "the weights of the rows to watch must not all be 0",
        ),
        ({"validation_data": (X, labels, 1, 2)}, TypeError, r"must be \(X, y\) or \(X, y, sample_weight\), got tuple"),
        (
            {"validation_split": 0.02, "sample_weight": "all but those held out"},
            ValueError,
            "rows held out must not all",
        ),
    ],
)
def test_wrong_weights_of_rows_held_out_raise_and_move_nothing(options, error, message):
    if isinstance(options.get("sample_weight"), str):
        random = np.random.default_rng(0)
        _, held_out = pynet.data.train_test_split(np.arange(50), test_size=0.02, seed=random)
        weight = np.ones(50)
        weight[held_out] = 0
        options = options | {"sample_weight": weight}
    model = classifier()
    before = model.state_dict()
    with pytest.raises(error, match=message):
        trainer_of(model).fit(X, labels, seed=0, **options)
    assert all((array == before[name]).all() for name, array in model.state_dict().items())


def test_weights_may_be_as_large_as_they_like():
    def losses(weight):
        return trainer_of(classifier()).fit(X, labels, epochs=2, seed=0, sample_weight=weight)["loss"]

    assert losses(np.full(50, 1e308)) == pytest.approx(losses(np.ones(50)), rel=1e-12)
