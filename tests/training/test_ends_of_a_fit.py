"""How a fit ends before its last epoch: a loss that is not finite, and Ctrl-C."""

import signal

import numpy as np
import pytest
from trained import At, X, classifier, labels, trainer_of

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
        "input": rf"epoch {epoch}, batch 4: .*input.*",
        "weights": rf"epoch {epoch}, batch 3: .*2\.weight.*",
        "target": rf"epoch {epoch}, batch 4: the targets are not finite",
    }
    with pytest.raises(pynet.DivergedError, match=expected[where]):
        trainer.fit(bad, y, epochs=3, batch_size=10, shuffle=False)
    assert trainer.history.epochs == epoch - 1
    assert np.isfinite(model[0].W).all()  # that batch has moved nothing
    assert not model.training


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
