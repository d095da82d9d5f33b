"""How a fit ends before its last epoch: a loss that is not finite, and Ctrl-C."""

import signal

import numpy as np
import pytest
from trained import At, X, amounts, classifier, labels, trainer_of

import pynet


@pytest.mark.parametrize("where", ["input", "weights", "target"])
def test_a_loss_that_is_not_finite_ends_the_run_and_names_where(where):
    model = classifier()
    bad, y = X.copy(), pynet.data.one_hot(labels)

    def spoil():
        if where == "weights":
            model[2].W[1, 2] = np.nan

    if where == "input":
        bad[33, 2] = np.nan
    if where == "target":
        y[33, 1] = np.nan
    trainer = trainer_of(model, callbacks=[At(2, 2, spoil)])
    epoch = 2 if where == "weights" else 1
    expected = {
        "input": rf"epoch {epoch}, batch 4: X\[33, 2\] is nan \(1 of 40 numbers in this batch of X not finite\); this",
        "weights": rf"epoch {epoch}, batch 3: .*2\.weight.* A smaller learning rate",
        "target": rf"epoch {epoch}, batch 4: y\[33, 1\] is nan \(1 of 30 numbers in this batch of y not finite\); this",
    }
    with pytest.raises(pynet.DivergedError, match=expected[where]):
        trainer.fit(bad, y, epochs=3, batch_size=10, shuffle=False)
    assert trainer.history.epochs == epoch - 1
    assert np.isfinite(model[0].W).all()  # that batch has moved nothing
    assert not model.training


def broken(array, place, value):
    array = array.copy()
    array[place] = value
    return array


@pytest.mark.parametrize("watching", [False, True], ids=["whole epochs", "batch by batch"])
@pytest.mark.parametrize(
    ("X", "y", "text"),
    [
        (broken(X, (17, 3), np.nan), amounts, "X[17, 3] is nan (1 of "),
        (broken(X, (17, 3), 1e39), amounts, "X[17, 3] is inf in float32 (1 of "),
        (broken(X, 17, np.nan), amounts, "X[17, 0] is nan (4 of "),
        (X, broken(amounts, 17, -np.inf), "y[17] is -inf in float32 (1 of "),
        (X, broken(amounts[:, None], 17, np.nan), "y[17, 0] is nan (1 of "),
    ],
)
def test_data_that_are_not_finite_are_named_by_their_row_among_all(X, y, text, watching):
    model, callbacks = pynet.Linear(4, 1, dtype=np.float32), [At(9, 9, None)] if watching else []
    trainer = trainer_of(model, pynet.MSELoss(), callbacks=callbacks)
    with np.errstate(over="ignore"), pytest.raises(pynet.DivergedError) as caught:
        trainer.fit(X, y, epochs=1, batch_size=4, validation_split=0.1, seed=0)
    assert text in str(caught.value)
    assert "learning rate" not in str(caught.value)


def test_ctrl_c_ends_the_run_with_the_epochs_so_far():
    model = classifier()
    trainer = trainer_of(model, callbacks=[At(3, 2, lambda: signal.raise_signal(signal.SIGINT))])
    history = trainer.fit(X, labels, epochs=10, batch_size=10)
    assert history.stopped == "interrupted"
    assert history.epochs == 2
    assert trainer.batch == 2
    assert not model.training
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_pressed_twice_is_raised_and_a_handler_of_the_users_stays():
    def press_twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    trainer = trainer_of(classifier(), callbacks=[At(1, 1, press_twice)])
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(X, labels, epochs=2)
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(1))
    try:
        history = trainer_of(classifier(), callbacks=[At(1, 1, lambda: signal.raise_signal(signal.SIGINT))]).fit(
            X, labels, epochs=2
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert (pressed, history.epochs) == ([1], 2)


def test_a_batch_that_ends_a_run_leaves_the_statistics_as_they_were():
    model = classifier(extra=[pynet.BatchNorm(8)])
    with pytest.raises(pynet.DivergedError):
        trainer_of(model).fit(np.full((4, 4), np.nan), labels[:4])
    assert np.isfinite(model[1].running_mean).all()
    assert model[1].num_batches_tracked == 0
