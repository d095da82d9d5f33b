"""Callbacks: when they are called, what they do, and runs that go on as if they had never stopped."""

import copy
import csv

import numpy as np
import pytest

import pynet
from pynet.callbacks import Callback, Checkpoint, CSVLogger, EarlyStopping, LRScheduler, ProgressBar, WeightAveraging
from pynet.optim import lr_scheduler

random = np.random.default_rng(0)
X = random.normal(size=(60, 4))
y = (X[:, 0] > 0).astype(int)


def network(seed=0):
    return pynet.Sequential(
        pynet.Linear(4, 8, seed=0),
        pynet.BatchNorm(8),
        pynet.Tanh(),
        pynet.Dropout(0.2, seed=seed),
        pynet.Linear(8, 2, seed=1),
    )


def trainer_with(*callbacks, model=None, lr=0.05):
    model = network() if model is None else model
    return pynet.Trainer(model, pynet.CrossEntropyLoss(), pynet.optim.Adam(model, lr), callbacks, metrics=["accuracy"])


class Script(Callback):
    """Replaces a figure by values of one's own, before others see it."""

    def __init__(self, name, values):
        self.name, self.values = name, values

    def on_epoch_end(self, trainer):
        trainer.history[self.name][-1] = self.values[trainer.epoch - 1]


class Weights(Callback):
    """Keeps the weights at the end of every epoch."""

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, trainer):
        self.seen.append(trainer.model.state_dict())


class Killed(Exception):
    pass


class KillAfter(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, trainer):
        if trainer.epoch > self.epoch:
            raise Killed


def same_state(a, b):
    return a.keys() == b.keys() and all((a[name] == b[name]).all() for name in a)


def test_callbacks_are_called_in_their_order_at_every_moment():
    calls = []

    class Log(Callback):
        def __init__(self, name):
            self.name = name

    def logging(event):
        return lambda self, trainer: calls.append((self.name, event, trainer.epoch, trainer.batch))

    events = [name for name in vars(Callback) if name.startswith("on_")]
    for event in events:
        setattr(Log, event, logging(event))
    trainer_with(Log("a"), Log("b")).fit(X, y, epochs=1, batch_size=30)
    moments = [
        ("on_fit_begin", 0, 0),
        ("on_epoch_begin", 1, 0),
        ("on_batch_end", 1, 1),
        ("on_batch_end", 1, 2),
        ("on_progress", 1, 2),
        ("on_batches_end", 1, 2),
        ("on_epoch_end", 1, 2),
        ("on_epoch_complete", 1, 2),
        ("on_fit_end", 1, 2),
    ]
    calls = [call for call in calls if call[1:] != ("on_progress", 1, 1)]  # on a slow machine
    assert calls == [(name, *moment) for moment in moments for name in ("a", "b")]
    assert {event for _, event, *_ in calls} == set(events)


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best", "stops"),
    [
        ([3, 2, 2, 2, 1], {"patience": 2}, 4, 2, True),
        ([3, 2, 1.9, 1.8, 1.7], {"patience": 2, "min_delta": 0.5}, 4, 2, True),
        ([3, np.nan, np.nan, 1, 1], {"patience": 2}, 3, 1, True),
        ([1, 2, 3, 2, 2], {"patience": 2, "mode": "max"}, 5, 3, True),
        ([3, 4, 4, 4, 4], {"patience": None}, 5, 1, False),
    ],
)
def test_early_stopping_stops_when_it_gets_no_better_and_restores_the_best(values, options, epochs, best, stops):
    weights, stopping = Weights(), EarlyStopping(**options)
    trainer = trainer_with(Script("val_loss", values), weights, stopping)
    history = trainer.fit(X, y, epochs=5, validation_data=(X, y))
    assert history.epochs == epochs
    assert (stopping.best_epoch, stopping.best) == (best, values[best - 1])
    assert same_state(trainer.model.state_dict(), weights.seen[best - 1])
    assert history.stopped == (f"val_loss has not improved since epoch {best}" if stops else "epochs")


def test_early_stopping_takes_larger_for_better_where_it_is_and_can_leave_the_last_weights():
    weights, stopping = Weights(), EarlyStopping("val_accuracy", patience=1, restore_best=False)
    trainer = trainer_with(Script("val_accuracy", [0.5, 0.6, 0.55, 1]), weights, stopping)
    assert trainer.fit(X, y, epochs=4, validation_data=(X, y)).epochs == 3
    assert stopping.best_epoch == 2
    assert same_state(trainer.model.state_dict(), weights.seen[-1])


def test_the_best_weights_come_back_after_an_error_too():
    weights = Weights()
    trainer = trainer_with(weights, EarlyStopping("loss"), KillAfter(2))
    with pytest.raises(Killed):
        trainer.fit(X, y, epochs=5)
    best = int(np.argmin(trainer.history["loss"]))
    assert same_state(trainer.model.state_dict(), weights.seen[best])


@pytest.mark.parametrize("make", [EarlyStopping, lambda: Checkpoint("never.npz", monitor="val_loss")])
def test_a_figure_that_the_run_will_not_have_is_an_error_at_once(make):
    trainer = trainer_with(make())
    with pytest.raises(ValueError, match=r"monitor is 'val_loss', .*give fit validation_data or validation_split"):
        trainer.fit(X, y)
    assert trainer.history.epochs == 0


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize("checkpoint_first", [True, False])
@pytest.mark.parametrize("seed", [None, 3, "generator", "legacy"])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, ending, checkpoint_first, seed):
    if ending == "safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"run.{ending}"

    def run(*more, epochs=6, **options):
        np.random.seed(11)
        dropout = {"generator": np.random.default_rng(9), "legacy": np.random.Generator(np.random.MT19937(4))}.get(seed)
        model = network(seed=dropout)
        optimizer = pynet.optim.Adam(model, 0.05)
        schedule = LRScheduler(lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=6, steps_per_epoch=5), every="batch")
        others = [schedule, WeightAveraging(0.9), EarlyStopping(patience=4)]
        saving = [Checkpoint(path)]
        callbacks = saving + others if checkpoint_first else others + saving
        trainer = pynet.Trainer(model, pynet.CrossEntropyLoss(), optimizer, [*callbacks, *more], metrics=["accuracy"])
        order = {None: None, 3: 3}.get(seed, dropout)
        history = trainer.fit(X, y, epochs, batch_size=10, validation_split=0.2, seed=order, **options)
        return model.state_dict(), optimizer.state_dict(), {n: v for n, v in history.items() if n != "time"}

    expected = run()
    with pytest.raises(Killed):
        run(KillAfter(3))
    np.random.seed(99)
    state, optimizer, history = run(resume=path)
    assert same_state(state, expected[0])
    assert history == expected[2]
    assert len(history["loss"]) == 6
    kept, wanted = optimizer.pop("state"), expected[1].pop("state")
    assert optimizer == expected[1]
    assert all((kept[name]["exp_avg"] == wanted[name]["exp_avg"]).all() for name in wanted)


def test_a_run_that_had_stopped_stays_so_when_resumed(tmp_path):
    def make():
        script = Script("val_loss", [1, 2, 3, 4, 5])
        return trainer_with(script, EarlyStopping(patience=1), Checkpoint(tmp_path / "run.npz"))

    make().fit(X, y, epochs=5, validation_data=(X, y))
    history = make().fit(X, y, epochs=5, validation_data=(X, y), resume=tmp_path / "run.npz")
    assert history.epochs == 2
    assert history.stopped == "val_loss has not improved since epoch 1"


def test_checkpoints_are_models_too_and_only_of_the_epochs_asked_for(tmp_path):
    trainer = trainer_with(
        Script("loss", [3, 2, 4, 1]),
        Checkpoint(tmp_path / "best-{epoch:02}.npz", monitor="loss"),
        Checkpoint(tmp_path / "second-{epoch}.npz", every=2),
    )
    trainer.fit(X, y, epochs=4)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"best-01.npz", "best-02.npz", "best-04.npz", "second-2.npz", "second-4.npz"}
    loaded = pynet.load(tmp_path / "best-04.npz").eval()
    np.testing.assert_array_equal(loaded(X), trainer.predict(X))


def test_what_cannot_be_resumed_says_why(tmp_path):
    pynet.save(network(), tmp_path / "model.npz")
    with pytest.raises(pynet.CheckpointError, match="holds a model but no training run"):
        trainer_with().fit(X, y, resume=tmp_path / "model.npz")
    trainer_with(Checkpoint(tmp_path / "run.npz")).fit(X, y, epochs=1)
    with pytest.raises(pynet.CheckpointError, match=r"was written with the callbacks \['Checkpoint'\], there are \[\]"):
        trainer_with().fit(X, y, resume=tmp_path / "run.npz")
    with pytest.raises(ValueError, match=r"path must end in \.npz or \.safetensors"):
        Checkpoint("run.txt")
    with pytest.raises(pynet.StateError, match="no run to save"):
        trainer_with().save_checkpoint(tmp_path / "other.npz")


def test_a_schedule_is_stepped_by_epochs_or_by_batches():
    model = network()
    optimizer = pynet.optim.SGD(model, 1.0)
    trainer = pynet.Trainer(
        model, pynet.CrossEntropyLoss(), optimizer, LRScheduler(lr_scheduler.ExponentialLR(optimizer, 0.5))
    )
    assert trainer.fit(X, y, epochs=3)["lr"] == [1.0, 0.5, 0.25]
    optimizer.lr = 1.0
    trainer.callbacks[0] = LRScheduler(lr_scheduler.ExponentialLR(optimizer, 0.5), every="batch")
    assert trainer.fit(X, y, epochs=2, batch_size=30)["lr"] == [0.25, 0.0625]


def test_a_plateau_is_told_its_figure():
    model = network()
    optimizer = pynet.optim.SGD(model, 1.0)
    plateau = LRScheduler(lr_scheduler.ReduceLROnPlateau(optimizer, patience=0), monitor="loss")
    callbacks = [Script("loss", [1, 2, 3, 0.5]), plateau]
    trainer = pynet.Trainer(model, pynet.CrossEntropyLoss(), optimizer, callbacks)
    assert trainer.fit(X, y, epochs=4)["lr"] == pytest.approx([1, 1, 0.1, 0.01])
    plateau.monitor = "val_loss"
    with pytest.raises(ValueError, match="monitor is 'val_loss'"):
        trainer.fit(X, y)
    with pytest.raises(ValueError, match="every must be 'epoch'"):
        LRScheduler(plateau.schedule, every="batch")
    with pytest.raises(TypeError, match="schedule must be one of"):
        LRScheduler(optimizer.lr)
    with pytest.raises(ValueError, match="another optimizer"):
        trainer_with(plateau).fit(X, y)


def test_averaged_weights_are_the_models_outside_of_the_steps():
    class Average(Callback):
        """The same by hand, from the weights that each step leaves."""

        average = None

        def on_batch_end(self, trainer):
            state = trainer.model.state_dict()
            if self.average is None:
                self.average = state
            for name, array in state.items():
                mixed = 0.9 * self.average[name] + (1 - 0.9) * array if array.dtype.kind == "f" else array
                self.average[name] = mixed

    by_hand, plain, seen = Average(), Weights(), Weights()
    trainer = trainer_with(by_hand, WeightAveraging(0.9), seen)
    history = trainer.fit(X, y, epochs=2, batch_size=20, seed=0, validation_data=(X, y))
    without = trainer_with(plain).fit(X, y, epochs=2, batch_size=20, seed=0, validation_data=(X, y))
    assert history["loss"] == without["loss"]  # the steps are the same
    assert history["val_loss"] != without["val_loss"]  # what is measured is not
    for name, array in trainer.model.state_dict().items():
        np.testing.assert_allclose(array, by_hand.average[name], rtol=1e-12)
    assert same_state(seen.seen[-1], trainer.model.state_dict())


def test_the_table_is_there_after_every_epoch_and_goes_on_when_resumed(tmp_path):
    def epochs():
        with (tmp_path / "log.csv").open(newline="") as file:
            return [int(row["epoch"]) for row in csv.DictReader(file)]

    class Look(Callback):
        def on_epoch_complete(self, trainer):
            assert epochs() == list(range(1, trainer.epoch + 1))

    def make(*more):
        return trainer_with(CSVLogger(tmp_path / "log.csv"), Checkpoint(tmp_path / "run.npz"), Look(), *more)

    with pytest.raises(Killed):
        make(KillAfter(2)).fit(X, y, epochs=4)
    history = make().fit(X, y, epochs=4, resume=tmp_path / "run.npz")
    assert epochs() == [1, 2, 3, 4]
    assert pynet.History.from_csv(tmp_path / "log.csv") == history


def test_the_progress_bar_is_silent_where_nobody_looks(capfd):
    pytest.importorskip("tqdm")
    trainer_with(ProgressBar()).fit(X, y, epochs=2)
    assert capfd.readouterr() == ("", "")


def test_the_progress_bar_shows_epochs_and_figures():
    tqdm = pytest.importorskip("tqdm").tqdm
    shown = []

    class Screen:
        encoding = "utf-8"

        def write(self, text):
            shown.append(text)

        def flush(self):
            pass

        def isatty(self):
            return True

    bar = ProgressBar()
    bar._make = lambda **options: tqdm(**options, file=Screen(), mininterval=0)
    trainer_with(bar).fit(X, y, epochs=2, validation_split=0.2)
    text = "".join(shown)
    assert "epoch 1/2" in text
    assert "epoch 2/2 100%" in text
    assert "val_loss" in text.rsplit("100%", 1)[1]


def test_callbacks_can_be_copied_and_show_how_they_were_made():
    for callback in (EarlyStopping(patience=3), WeightAveraging(0.5), CSVLogger("x.csv"), Checkpoint("x.npz", every=2)):
        assert repr(copy.deepcopy(callback)) == repr(callback)
    assert repr(EarlyStopping(patience=3)) == "EarlyStopping(patience=3)"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: EarlyStopping(patience=-1), ValueError, "patience"),
        (lambda: EarlyStopping(mode="best"), ValueError, "mode must be one of"),
        (lambda: EarlyStopping(monitor=3), TypeError, "monitor must be the name"),
        (lambda: EarlyStopping(min_delta=float("nan")), ValueError, "min_delta"),
        (lambda: Checkpoint("x.npz", every=0), ValueError, "every"),
        (lambda: WeightAveraging(1.5), ValueError, "decay must be from 0 to 1"),
    ],
)
def test_wrong_arguments_raise(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_run_that_does_not_fit_the_checkpoint_changes_nothing(tmp_path):
    trainer_with(Checkpoint(tmp_path / "run.npz")).fit(X, y, epochs=1)
    model = network()
    other = pynet.Trainer(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model), Checkpoint(tmp_path / "new.npz"))
    before, draws = model.state_dict(), np.random.get_state()[1].copy()
    with pytest.raises(ValueError, match="state has"):
        other.fit(X, y, resume=tmp_path / "run.npz")
    assert same_state(model.state_dict(), before)
    assert (np.random.get_state()[1] == draws).all()


def test_the_best_weights_of_one_run_are_not_taken_for_those_of_another(tmp_path):
    model = network()
    logger = CSVLogger(tmp_path / "log.csv")
    trainer = trainer_with(logger, EarlyStopping("loss"), model=model)
    trainer.fit(X, y, epochs=2)
    new = {name: array * 2 for name, array in model.state_dict().items()}
    model.load_state_dict(new)
    logger.path = str(tmp_path / "missing" / "log.csv")
    with pytest.raises(FileNotFoundError):
        trainer.fit(X, y)
    assert same_state(model.state_dict(), new)


def test_the_best_counts_only_where_it_is_written(tmp_path):
    checkpoint = Checkpoint(tmp_path / "best.npz", monitor="loss", mode="max", every=2)
    trainer_with(Script("loss", [4, 3, 2, 1]), checkpoint).fit(X, y, epochs=4)
    assert (tmp_path / "best.npz").exists()
    with pytest.raises(ValueError, match="no other braces"):
        Checkpoint("run-{step}.npz")
