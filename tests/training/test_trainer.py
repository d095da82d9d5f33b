"""The Trainer: the same as a loop by hand."""

import copy

import numpy as np
import pytest
from trained import At, Recorder, X, amounts, classifier, labels, regressor, trainer_of

import pynet
from pynet.callbacks import Callback


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
