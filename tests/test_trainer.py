"""The Trainer: the same as a loop by hand, with data as they come."""

import copy
import signal
import tracemalloc

import numpy as np
import pytest

import pynet
from pynet.callbacks import Callback

random = np.random.default_rng(0)
X = random.normal(size=(50, 4))
labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
amounts = X @ np.arange(4.0)


def classifier(dtype=np.float64, extra=()):
    return pynet.Sequential(pynet.Linear(4, 8, seed=0), *extra, pynet.Tanh(), pynet.Linear(8, 3, seed=1)).astype(dtype)


def regressor():
    return pynet.Sequential(pynet.Linear(4, 8, seed=0), pynet.Tanh(), pynet.Linear(8, 1, seed=1))


def trainer_of(model, criterion=None, lr=0.1, **options):
    return pynet.Trainer(model, criterion or pynet.CrossEntropyLoss(), pynet.optim.SGD(model, lr, 0.9), **options)


class Recorder(pynet.Module):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, input):
        self.seen.append((input, self.training))
        self.output = input
        return input

    def backward(self, input, grad_output):
        return grad_output

    def trained_on(self):
        return [input for input, training in self.seen if training]


class At(Callback):
    """Does something once, after a certain batch of a certain epoch."""

    def __init__(self, epoch, batch, do):
        self.when, self.do = (epoch, batch), do

    def on_batch_end(self, trainer):
        if (trainer.epoch, trainer.batch) == self.when:
            self.do()


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("metrics", ["accuracy", ()])
def test_a_fit_is_the_loop_by_hand_bit_for_bit_or_compiled_within_rounding(metrics, compiled):
    def network():
        own = [] if compiled else [Recorder()]
        return classifier(extra=[pynet.BatchNorm(8), pynet.Dropout(0.2, seed=3), *own])

    def same(a, b):
        return np.allclose(a, b, rtol=1e-9, atol=1e-12) if compiled else np.array_equal(a, b)

    ours, by_hand = network(), network()
    history = trainer_of(ours, metrics=metrics).fit(X, labels, epochs=3, batch_size=16, seed=5)

    criterion, optimizer = pynet.CrossEntropyLoss(), pynet.optim.SGD(by_hand, 0.1, 0.9)
    order = np.random.default_rng(5)
    for epoch in range(3):
        rows, losses, right = order.permutation(50), 0.0, 0
        for start in range(0, 50, 16):
            chosen = rows[start : start + 16]
            output = by_hand(X[chosen])
            losses += float(criterion(output, labels[chosen])) * len(chosen)
            right += int(np.sum(output.argmax(axis=1) == labels[chosen]))
            by_hand.backward(X[chosen], criterion.backward(output, labels[chosen]))
            optimizer.step()
        assert same(history["loss"][epoch], losses / 50)
        assert not metrics or history["accuracy"][epoch] == right / 50
    assert all(same(a, b) for a, b in zip(ours.parameters(), by_hand.parameters(), strict=True))
    assert history["lr"] == [0.1] * 3
    assert history.epochs == 3
    assert history.stopped == "epochs"
    assert all(seconds > 0 for seconds in history["time"])


@pytest.mark.parametrize(
    ("rows", "size", "expected"),
    [(50, 7, [7] * 6 + [8]), (50, 49, [50]), (50, 16, [16, 16, 16, 2]), (1, 4, [1]), (3, 1, [1, 1, 1]), (9, 8, [9])],
)
def test_a_last_batch_of_one_row_joins_the_one_before(rows, size, expected):
    recorder = Recorder()
    model = pynet.Sequential(recorder, pynet.Linear(4, 3))
    trainer = trainer_of(model)
    trainer.fit(X[:rows], labels[:rows], epochs=1, batch_size=size)
    assert [len(x) for x in recorder.trained_on()] == expected
    assert trainer.batches == len(expected)


def test_batch_norm_trains_where_a_row_would_be_left_over():
    trainer_of(classifier(extra=[pynet.BatchNorm(8)])).fit(X[:33], labels[:33], epochs=1, batch_size=32)


def test_all_rows_are_seen_once_an_epoch_in_an_order_that_changes_unless_told_otherwise():
    recorder = Recorder()
    trainer = trainer_of(pynet.Sequential(recorder, pynet.Linear(4, 3)))
    trainer.fit(X, labels, epochs=2, batch_size=50, seed=0)
    first, second = recorder.trained_on()
    assert not (first == second).all()
    for x in (first, second):
        np.testing.assert_array_equal(np.sort(x, axis=0), np.sort(X, axis=0))
    recorder.seen.clear()
    trainer.fit(X, labels, epochs=2, batch_size=25, shuffle=False)
    np.testing.assert_array_equal(np.concatenate(recorder.trained_on()), np.concatenate([X, X]))


def test_validation_rows_are_not_trained_on_and_are_measured_in_evaluation_mode():
    recorder = Recorder()
    model = pynet.Sequential(recorder, pynet.Dropout(0.5), pynet.Linear(4, 3, seed=0))
    trainer = trainer_of(model, metrics=["accuracy"])
    history = trainer.fit(X, labels, epochs=2, batch_size=40, validation_split=0.2, seed=1)
    trained = {tuple(row) for x in recorder.trained_on() for row in x}
    assert len(trained) == 40
    held_out = np.array([tuple(row) not in trained for row in X])
    expected = trainer.evaluate(X[held_out], labels[held_out])
    assert history["val_loss"][-1] == expected["loss"]
    assert history["val_accuracy"][-1] == expected["accuracy"]
    given = trainer_of(classifier()).fit(X, labels, epochs=1, validation_data=(X[:5], labels[:5]))
    assert len(given["val_loss"]) == 1


def test_the_split_repeats_with_the_seed_and_with_numpys():
    def run(**seed):
        np.random.seed(7)
        return trainer_of(classifier()).fit(X, labels, epochs=2, validation_split=0.3, **seed)["val_loss"]

    assert run(seed=1) == run(seed=1) != run(seed=2)
    assert run() == run()


def test_evaluate_and_predict_do_not_depend_on_batches_and_keep_modes():
    model = classifier(extra=[pynet.BatchNorm(8), pynet.Dropout(0.3)])
    model(X)
    model[1].eval()  # one that its user has frozen
    trainer = trainer_of(model, metrics=["accuracy", "top_2_accuracy"])
    modes = [layer.training for layer in model]
    state = {name: array.copy() for name, array in model.state_dict().items()}
    results = [trainer.evaluate(X, labels, batch_size=size) for size in (1, 7, 50)]
    outputs = [trainer.predict(X, batch_size=size) for size in (1, 7, 50)]
    assert [layer.training for layer in model] == modes
    assert all((array == model.state_dict()[name]).all() for name, array in state.items())
    expected = copy.deepcopy(model).eval()(X)
    for result, output in zip(results, outputs, strict=True):
        np.testing.assert_allclose(output, expected, rtol=1e-12)
        assert result["loss"] == pytest.approx(float(pynet.CrossEntropyLoss()(expected, labels)), rel=1e-12)
        assert result["accuracy"] == np.mean(expected.argmax(axis=1) == labels)
    assert trainer.predict(X[:0]).shape == (0, 3)


def test_predict_writes_into_an_array_of_the_users():
    model, out = classifier(np.float32), np.zeros((50, 3), np.float32)
    assert trainer_of(model).predict(X, 16, out=out) is out
    np.testing.assert_array_equal(out, model.eval()(X))
    with pytest.raises(pynet.ShapeError, match=r"out has shape \(50, 2\), expected \(50, 3\)"):
        trainer_of(model).predict(X, out=out[:, :2])


def test_the_model_trains_in_training_mode_and_is_left_in_evaluation_mode():
    recorder = Recorder()
    model = pynet.Sequential(recorder, pynet.Linear(4, 3)).eval()
    trainer_of(model).fit(X, labels, epochs=1, batch_size=25)
    assert len(recorder.trained_on()) == 2
    assert not any(layer.training for layer in [model, *model])


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


@pytest.mark.parametrize("y", [amounts, amounts.tolist(), np.round(amounts).astype(int)], ids=["float", "list", "int"])
def test_targets_of_one_column_may_lack_the_axis(y):
    flat, column = regressor(), regressor()
    target = np.asarray(y, float)[:, None]
    histories = [
        trainer_of(model, pynet.MSELoss(), 0.01, metrics=["r2", "mae"]).fit(
            X, values, epochs=2, seed=0, validation_data=(X, values)
        )
        for model, values in ((flat, y), (column, target))
    ]
    assert {name: v for name, v in histories[0].items() if name != "time"} == {
        name: v for name, v in histories[1].items() if name != "time"
    }


def test_labels_for_one_output_stay_labels_so_that_the_mistake_is_seen():
    with pytest.raises(ValueError, match="label 1"):
        trainer_of(regressor()).fit(X, (labels > 0).astype(int))


def test_data_are_converted_once_and_batches_are_views():
    recorder = Recorder()
    model = pynet.Sequential(recorder, pynet.Linear(4, 3, dtype=np.float32))
    trainer_of(model).fit(X, labels, epochs=2, batch_size=25, shuffle=False)
    first, second, again, _ = recorder.trained_on()
    assert first.dtype == np.float32
    assert np.shares_memory(first, again)
    assert first.base is second.base is not None
    recorder.seen.clear()
    x = X.astype(np.float32)
    trainer_of(model).fit(x, labels, epochs=1, batch_size=25, shuffle=False)
    assert np.shares_memory(recorder.trained_on()[0], x)  # nothing to convert, nothing copied


@pytest.mark.parametrize("validation_split", [None, 0.25])
def test_memory_mapped_data_are_never_copied_whole(tmp_path, validation_split):
    big = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (40_000, 100))
    target = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float32, (40_000,))
    big[::3], target[::5] = 1, 2
    mapped, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("X", "y"))
    model = pynet.Sequential(pynet.Linear(100, 1))
    trainer = trainer_of(model, pynet.MSELoss(), 1e-3, metrics="mae")
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.float64, (40_000, 1))
    tracemalloc.start()
    try:
        trainer.fit(mapped, y, epochs=1, batch_size=256, validation_split=validation_split)
        trainer.evaluate(mapped, y)
        trainer.predict(mapped, out=out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < big.nbytes / 4
    np.testing.assert_allclose(out[:300], model(big[:300]))


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


def test_a_users_own_module_criterion_and_optimizer_are_enough():
    class Shift:
        def __init__(self):
            self.b, self.grad_b = np.zeros(4), np.zeros(4)

        def forward(self, input):
            return input + self.b

        def backward(self, input, grad_output):
            self.grad_b = grad_output.sum(axis=0)
            return grad_output

        def parameters(self):
            return [self.b]

        def grad_parameters(self):
            return [self.grad_b]

    class Squares:
        def forward(self, input, target):
            return np.mean((input - target) ** 2)

        def backward(self, input, target):
            return 2 * (input - target) / input.size

    class Descent:
        def __init__(self, module):
            self.module = module

        def step(self):
            for p, grad in zip(self.module.parameters(), self.module.grad_parameters(), strict=True):
                p -= grad

    model = Shift()
    trainer = pynet.Trainer(model, Squares(), Descent(model), metrics=["r2"])
    history = trainer.fit(X, X + 3, epochs=40, batch_size=10)
    np.testing.assert_allclose(model.b, 3, rtol=1e-3)
    assert history["loss"][-1] < 1e-5
    assert np.isnan(history["lr"]).all()


@pytest.mark.parametrize(("limit", "bound"), [({"clip_norm": 0.01}, 0.01), ({"clip_value": 0.003}, None)])
def test_gradients_are_clipped_before_the_step(limit, bound):
    model = regressor()
    before = model.state_dict()
    pynet.Trainer(model, pynet.MSE(), pynet.optim.SGD(model, 1.0), **limit).fit(X, amounts, epochs=1, batch_size=50)
    moved = np.concatenate([(before[n] - a).ravel() for n, a in model.state_dict().items()])
    if bound:
        assert np.linalg.norm(moved) == pytest.approx(bound, rel=1e-4)
    else:
        assert np.abs(moved).max() == pytest.approx(0.003)


def test_metrics_are_over_all_rows_and_functions_are_averaged():
    def rows(output, target):
        return float(len(output))

    trainer = trainer_of(regressor(), pynet.MSELoss(), 0.001, metrics=["r2", "mae", rows])
    found = trainer.evaluate(X, amounts, batch_size=30)
    predicted = trainer.predict(X)[:, 0]
    residual, total = np.sum((amounts - predicted) ** 2), np.sum((amounts - amounts.mean()) ** 2)
    assert found["r2"] == pytest.approx(1 - residual / total)
    assert found["mae"] == pytest.approx(np.mean(np.abs(amounts - predicted)))
    assert found["rows"] == pytest.approx((30 * 30 + 20 * 20) / 50)
    assert list(trainer.fit(X, amounts, epochs=1)) == ["loss", "r2", "mae", "rows", "lr", "time"]


def test_metrics_of_a_callback_do_not_disturb_those_of_the_epoch():
    def evaluate():
        trainer.evaluate(X[:3], labels[:3])

    trainer = trainer_of(classifier(), metrics="accuracy", callbacks=[At(1, 2, evaluate)])
    alone = trainer_of(classifier(), metrics="accuracy")
    histories = [t.fit(X, labels, epochs=1, batch_size=16, seed=0) for t in (trainer, alone)]
    assert histories[0]["accuracy"] == histories[1]["accuracy"]


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
        ({"validation_data": X}, TypeError, "validation_data must be a pair"),
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


def test_no_epochs_are_an_empty_history():
    history = trainer_of(classifier()).fit(X, labels, epochs=0)
    assert (history.epochs, dict(history), history.stopped) == (0, {}, "epochs")


def test_a_history_is_a_dict_and_a_table(tmp_path):
    history = pynet.History()
    history.append({"loss": 2.0, "lr": 0.1})
    history.append({"loss": 1 / 3, "lr": 0.1, "val_loss": 0.5})
    assert history.epochs == 2
    assert history.last() == {"loss": 1 / 3, "lr": 0.1, "val_loss": 0.5}
    assert np.isnan(history["val_loss"][0])
    assert repr(history) == "History(2 epochs, loss 0.3333, lr 0.1, val_loss 0.5)"
    history.to_csv(tmp_path / "h.csv")
    assert (tmp_path / "h.csv").read_text().splitlines()[:2] == ["epoch,loss,lr,val_loss", "1,2.0,0.1,nan"]
    again = pynet.History.from_csv(tmp_path / "h.csv")
    np.testing.assert_array_equal(again["val_loss"], history["val_loss"])
    assert again["loss"] == history["loss"]
    (tmp_path / "bad.csv").write_text("a,b\n1,x\n")
    with pytest.raises(pynet.CheckpointError, match=r"bad\.csv is no table of a training run"):
        pynet.History.from_csv(tmp_path / "bad.csv")


def test_a_batch_that_ends_a_run_leaves_the_statistics_as_they_were():
    model = classifier(extra=[pynet.BatchNorm(8)])
    with pytest.raises(pynet.DivergedError):
        trainer_of(model).fit(np.full((4, 4), np.nan), labels[:4])
    assert np.isfinite(model[1].running_mean).all()
    assert model[1].num_batches_tracked == 0


def test_predict_takes_integers_as_fit_does_and_refuses_an_out_that_would_truncate():
    class Flip(Recorder):
        def forward(self, input):
            return 1 - input

    model = pynet.Sequential(Flip(), pynet.Linear(4, 3))
    whole = random.integers(0, 9, (5, 4), dtype=np.uint8)
    np.testing.assert_array_equal(trainer_of(model).predict(whole), trainer_of(model).predict(whole.astype(float)))
    with pytest.raises(TypeError, match="out must hold float64, got int64"):
        trainer_of(model).predict(whole, out=np.zeros((5, 3), int))


class Watching(Callback):
    """Looks at what a step has left, after each."""

    def on_fit_begin(self, trainer):
        self.seen = []

    def on_batch_end(self, trainer):
        self.seen.append([np.array(trainer.model.output), *(g.copy() for g in trainer.model.grad_parameters())])


@pytest.mark.parametrize("clip", [{}, {"clip_norm": 0.1}])
def test_a_callback_sees_outputs_and_gradients_of_every_batch(clip):
    seen = []
    for extra in ([], [Recorder()]):
        watching = Watching()
        trainer_of(classifier(extra=extra), callbacks=[watching], **clip).fit(X, labels, 2, batch_size=16, seed=1)
        seen.append(watching.seen)
    assert len(seen[0]) == 8
    for compiled, by_modules in zip(*seen, strict=True):
        for a, b in zip(compiled, by_modules, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-12)


def test_an_epoch_in_one_call_has_the_bits_of_one_batch_by_batch():
    results = []
    for options in ({}, {"metrics": "accuracy"}, {"callbacks": [Watching()]}):
        model = classifier(extra=[pynet.BatchNorm(8), pynet.Dropout(0.2, seed=3)])
        history = trainer_of(model, **options).fit(X, labels, epochs=3, batch_size=7, seed=5, validation_split=0.2)
        results.append((history["loss"], history["val_loss"], [p.tolist() for p in model.parameters()]))
    assert results[0] == results[1] == results[2]


def test_progress_is_told_in_an_epoch_that_runs_in_one_call():
    class Progress(Callback):
        def __init__(self):
            self.told = []

        def on_progress(self, trainer):
            self.told.append((trainer.epoch, trainer.batch, trainer.loss))

    progress = Progress()
    history = trainer_of(classifier(), callbacks=[progress]).fit(X, labels, epochs=2, batch_size=10)
    last = [told for told in progress.told if told[1] == 5]
    assert last == [(1, 5, history["loss"][0]), (2, 5, history["loss"][1])]
