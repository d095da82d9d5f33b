"""What a Trainer refuses, before anything moves."""

import pytest
from trained import X, classifier, labels, trainer_of

import pynet


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((pynet.Linear, None, None), TypeError, "model must be a module"),
        ((classifier(), pynet.MSE, None), TypeError, r"criterion must have forward and backward, .*write MSE\(\)"),
        (
            (classifier(), pynet.MSE(), pynet.optim.SGD),
            TypeError,
            r"must have step\(\), .*write SGD\(model\)",
        ),
        ((classifier(), pynet.MSE(), pynet.optim.SGD(classifier())), ValueError, "optimizer moves another"),
    ],
)
def test_a_trainer_refuses_what_it_cannot_use(arguments, error, message):
    with pytest.raises(error, match=message):
        pynet.Trainer(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"callbacks": [pynet.callbacks.EarlyStopping]}, TypeError, r"write EarlyStopping\(\)"),
        ({"callbacks": [print]}, TypeError, "callbacks must be"),
        ({"metrics": "speed"}, ValueError, "metric must be one of 'accuracy'"),
        ({"metrics": ["mae", "mae"]}, ValueError, "different names"),
        ({"clip_norm": 0}, ValueError, "clip_norm must be finite and above 0, got 0"),
        ({"clip_value": float("nan")}, ValueError, "clip_value"),
    ],
)
def test_wrong_options_raise(options, error, message):
    with pytest.raises(error, match=message):
        trainer_of(classifier(), **options)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"y": labels[:-1]}, pynet.ShapeError, "X has 50, y has 49"),
        ({"X": X[:0], "y": labels[:0]}, ValueError, "X has no rows"),
        ({"X": X[:, :3]}, pynet.ShapeError, "input has 3 features, expected 4"),
        ({"X": X.astype(str)}, TypeError, "X must be an array of real numbers"),
        ({"y": labels > 0}, TypeError, "target must hold integer labels, got bool"),
        ({"epochs": -1}, ValueError, "epochs"),
        ({"epochs": 1.5}, TypeError, "epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"validation_split": 0.0}, ValueError, "validation_split must be a share between 0 and 1, got 0.0"),
        ({"validation_split": 1}, ValueError, "validation_split"),
        ({"validation_split": 0.2, "validation_data": (X, labels)}, ValueError, "not both"),
        ({"validation_data": X}, TypeError, r"validation_data must be \(X, y\) or \(X, y, sample_weight\)"),
        ({"validation_data": (X, labels[:3])}, pynet.ShapeError, "X_val has 50, y_val has 3"),
        ({"seed": "x"}, TypeError, "seed"),
        ({"resume": "missing.npz"}, FileNotFoundError, "missing"),
    ],
)
def test_wrong_data_raise_before_anything_moves(arguments, error, message):
    model = classifier()
    before = model.state_dict()
    with pytest.raises(error, match=message):
        trainer_of(model).fit(**({"X": X, "y": labels} | arguments))
    assert all((array == before[name]).all() for name, array in model.state_dict().items())


def test_a_criterion_must_return_one_number():
    with pytest.raises(TypeError, match="the criterion must return one number"):
        trainer_of(classifier(), pynet.CrossEntropyLoss(reduction="none")).fit(X, labels)


def test_scores_for_a_criterion_of_probabilities_are_warned_of_where_fit_is_called():
    trainer = trainer_of(classifier(), pynet.CrossEntropy(), lr=1e-3)
    with pytest.warns(UserWarning, match="put a SoftMax behind the model, or use CrossEntropyLoss") as caught:
        trainer.fit(X, labels, epochs=2, validation_data=(X, labels))
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.filterwarnings("error")
def test_that_warning_as_an_error_comes_before_anything_moves():
    model = classifier()
    before = model.state_dict()
    with pytest.raises(UserWarning, match="takes probabilities"):
        trainer_of(model, pynet.CrossEntropy()).fit(X, labels)
    assert all((array == before[name]).all() for name, array in model.state_dict().items())


@pytest.mark.parametrize("last", [pynet.SoftMax(), pynet.Sigmoid()])
def test_probabilities_are_not_warned_of_nor_scores_where_they_belong(last):
    trainer_of(pynet.Sequential(classifier(), last), pynet.CrossEntropy()).fit(X, labels, epochs=1)
    trainer_of(classifier()).fit(X, labels, epochs=1)
