"""Embedding and Columns in compiled steps and predictions: tables of codes and amounts, and codes that are none."""

import copy

import numpy as np
import pytest
from compiled_steps import DTYPES, assert_close, compare, loop_step, same_bits, sgd, state, tolerance

import pynet
from pynet.compiled.by_modules import step_by_modules

L = pynet.Linear
CODES = 5


def table(padding=None):
    """Of one column of codes and two of amounts; nothing in it says how many columns there are."""
    codes = pynet.Sequential(pynet.Columns([0]), pynet.Embedding(CODES, 3, padding), pynet.Flatten())
    return pynet.Sequential(
        pynet.Parallel(codes, pynet.Columns(slice(1, None)), merge="cat"), L(5, 4), pynet.Tanh(), L(4, 2)
    )


def text():
    """Three codes in a row, each with a vector of its own that is normalised."""
    return pynet.Sequential(pynet.Embedding(CODES, 4), pynet.LayerNorm(4), pynet.GELU(), pynet.Flatten(), L(12, 2))


def codes_of_a_layer():
    """The softmax of one number is 1, whatever learns before it."""
    return pynet.Sequential(L(3, 1), pynet.SoftMax(), pynet.Embedding(CODES, 4), pynet.Flatten(), L(4, 2))


def rows_of_codes(rows, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).integers(0, CODES, (rows, 3)).astype(dtype)


def rows_of_both(rows, seed=0, dtype=np.float64):
    x = rows_of_codes(rows, seed, dtype)
    x[:, 1:] = np.random.default_rng(seed).normal(size=(rows, 2))
    return x


NETWORKS = [
    (table, rows_of_both),
    (lambda: table(padding=2), rows_of_both),
    (lambda: table(padding=-CODES), rows_of_both),
    (text, rows_of_codes),
    (codes_of_a_layer, rows_of_both),
]
each_network = pytest.mark.parametrize(("make", "rows_of"), NETWORKS)
MOVERS = [sgd, lambda m: pynet.optim.Adam(m, 0.01), lambda m: pynet.optim.NAdam(m, 0.01, weight_decay=0.1)]


@each_network
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("rows", [1, 2, 9, 140, 500])
@pytest.mark.parametrize("mover", range(len(MOVERS)))
def test_a_compiled_step_computes_what_the_modules_do(make, rows_of, dtype, rows, mover):
    np.random.seed(0)
    model = make().astype(dtype)
    random = np.random.default_rng(1)
    data = [(rows_of(rows, i, dtype), random.normal(size=(rows, 2)).astype(dtype)) for i in range(6)]
    compare(model, pynet.MSELoss(), MOVERS[mover], lambda i: data[i], dtype, 6)


@each_network
@pytest.mark.parametrize("options", [{"clip_norm": 0.01}, {"clip_value": 0.001}])
def test_clipped_gradients_are_as_in_the_loop(make, rows_of, options):
    model = make()
    compare(model, pynet.MSELoss(), sgd, lambda i: (rows_of(30, i), np.ones((30, 2))), np.float64, 5, **options)


@each_network
def test_gradients_are_left_if_they_are_wanted(make, rows_of):
    model = make()
    twin, criterion = copy.deepcopy(model), pynet.MSELoss()
    step = pynet.compile_step(twin, criterion, pynet.optim.SGD(twin, 0))
    x, y = rows_of(20), np.ones((20, 2))
    for _ in range(2):
        step(x, y, gradients=True)
    assert step.compiled
    model.backward(x, criterion.backward(model.forward(x), y))
    for got, want in zip(twin.grad_parameters(), model.grad_parameters(), strict=True):
        np.testing.assert_allclose(got, want, **tolerance(np.float64))


@each_network
@pytest.mark.parametrize("freeze", [False, True])
def test_predictions_are_those_of_evaluation(make, rows_of, freeze):
    model = make()
    predict = pynet.compile_predict(model, freeze=freeze)
    predict(rows_of(1))
    assert predict.compiled, predict.reason
    for rows in (1, 7, 300):
        x = rows_of(rows)
        np.testing.assert_allclose(predict(x), model.eval().forward(x), **tolerance(np.float64))
        np.testing.assert_allclose(predict(x.astype(np.float32)), predict(x.astype(np.float32).astype(np.float64)))


def test_what_does_not_learn_may_be_divided_by_rows_and_to_the_same_bits():
    found = []
    for threads in (1, 2):
        pynet.set_num_threads(threads)
        np.random.seed(0)
        model = table()
        model[0][0][1].freeze()
        model.layers[1:3] = [L(5, 400), pynet.Tanh(), L(400, 4)]
        step = compare(
            model, pynet.MSELoss(), sgd, lambda i: (rows_of_both(2000, i), np.ones((2000, 2))), np.float64, 3
        )
        found.append(state(step.model, step.optimizer))
    assert same_bits(*found)


def test_many_vectors_learn_on_several_threads_and_to_the_same_bits():
    found = []
    for threads in (1, 2):
        pynet.set_num_threads(threads)
        np.random.seed(0)
        model = pynet.Sequential(pynet.Embedding(3000, 40), pynet.Flatten(), L(120, 700), pynet.ReLU(), L(700, 2))
        x = np.random.default_rng(0).integers(0, 3000, (300, 3))
        step = compare(model, pynet.MSELoss(), sgd, lambda i, x=x: (x, np.ones((300, 2))), np.float64, 3)
        found.append(state(step.model, step.optimizer))
    assert same_bits(*found)


WRONG = [-1.0, CODES, 0.5, np.nan, np.inf, -np.inf, 1e30]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("rows", [1, 20, 300])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_code_that_is_none_is_refused_and_nothing_moves(wrong, rows, frozen):
    np.random.seed(0)
    model = table()
    if frozen:
        model[0][0][1].freeze()
    step, predict = pynet.compile_step(model, pynet.MSELoss(), sgd(model)), pynet.compile_predict(model)
    x, y = rows_of_both(rows), np.ones((rows, 2))
    for _ in range(2):
        step(x, y)
        want = predict(x)
    bad = x.copy()
    bad[-1, 0] = wrong
    before = copy.deepcopy(state(model, step.optimizer))
    assert step.compiled
    assert predict.compiled
    for call in (
        lambda: step(bad, y),
        lambda: step(bad, y, weight=np.arange(rows)[::-1] + (rows == 1)),  # 0 for the wrong row
        lambda: step.finite_step(bad, y),
        lambda: step.epoch(bad, y, batch_size=rows),
        lambda: predict(bad),
    ):
        with pytest.raises(ValueError, match=r"index .* expected whole numbers from 0 to 4"):
            call()
    assert same_bits(before, state(model, step.optimizer))
    # Both go on as if nothing had been.
    np.testing.assert_array_equal(predict(x), want)
    np.testing.assert_allclose(step(x, y), np.mean((want - y) ** 2), rtol=1e-12)


def test_an_epoch_ends_before_the_batch_with_a_code_that_is_none():
    model = table()
    step = pynet.compile_step(model, pynet.MSELoss(), sgd(model))
    x, y = rows_of_both(50), np.ones((50, 2))
    step(x, y)
    twin = copy.deepcopy(model)
    own = sgd(twin)
    own.load_state_dict(step.optimizer.state_dict())
    x[25, 0] = CODES
    with pytest.raises(ValueError, match="index 5"):
        step.epoch(x, y, batch_size=10)
    for first in (0, 10):
        loop_step(twin, pynet.MSELoss(), own, x[first : first + 10], y[first : first + 10])
    assert_close(state(model, step.optimizer), state(twin, own), np.float64)


def test_the_first_data_say_how_wide_the_input_is():
    model = table()
    step, predict = pynet.compile_step(model, pynet.MSELoss(), sgd(model)), pynet.compile_predict(model)
    for call in (step, predict):
        assert not call.compiled
        assert call.reason == "how many columns the data have shows with the first batch"
    x, y = rows_of_both(9), np.ones((9, 2))
    assert np.all(np.isfinite(step.epoch(x, y, batch_size=3)))
    predict(x.tolist())
    assert step.compiled
    assert predict.compiled
    with pytest.raises(pynet.ShapeError):
        step(np.ones((9, 5)), y)  # for the first Linear
    assert np.isfinite(step(x, y))
    model[0].layers[1] = pynet.Columns([1, 2])
    assert np.isfinite(step(x, y))
    assert step.compiled


def test_other_data_may_be_of_another_width(monkeypatch):
    by_modules = []

    def counted(step, x, *rest, **options):
        by_modules.append(x.shape[1])
        return step_by_modules(step, x, *rest, **options)

    monkeypatch.setattr("pynet.compiled.step.step_by_modules", counted)
    model = pynet.Sequential(pynet.Columns([0, -1]), L(2, 2))
    twin = copy.deepcopy(model)
    optimizer, own = sgd(model), sgd(twin)
    step, predict = pynet.compile_step(twin, pynet.MSELoss(), own), pynet.compile_predict(twin)
    for columns in (3, 3, 5, 5, 3, 2):
        x, y = np.random.default_rng(columns).normal(size=(6, columns)), np.ones((6, 2))
        np.testing.assert_allclose(predict(x), model.forward(x), rtol=1e-12)
        np.testing.assert_allclose(step(x, y), loop_step(model, pynet.MSELoss(), optimizer, x, y), rtol=1e-12)
        assert step.compiled
    assert by_modules == [3, 5, 3, 2]  # the first step of each width
    with pytest.raises(pynet.ShapeError, match="2 axes"):
        step(np.ones(3), np.ones(3))


def test_indices_without_an_axis_of_their_own_run_module_by_module():
    model = pynet.Sequential(pynet.Embedding(CODES, 4), L(4, 2))
    step, predict = pynet.compile_step(model, pynet.MSELoss(), sgd(model)), pynet.compile_predict(model)
    for _ in range(3):
        x = np.arange(4)
        np.testing.assert_array_equal(predict(x), model.forward(x))
        assert np.isfinite(step(x, np.ones((4, 2))))
    assert not step.compiled


def test_a_table_of_whole_numbers_is_taken_as_it_is():
    model = text()
    step = pynet.compile_step(model, pynet.MSELoss(), sgd(model))
    twin = copy.deepcopy(model)
    own = sgd(twin)
    for kind in (np.int64, np.uint8, np.float32, bool):
        x = (rows_of_codes(8) % 2).astype(kind)
        np.testing.assert_allclose(
            step(x, np.ones((8, 2))), loop_step(twin, pynet.MSELoss(), own, x, np.ones((8, 2))), rtol=1e-12
        )
    assert step.compiled


def test_what_is_assigned_counts_from_the_next_step_on():
    model = table()
    step, predict = pynet.compile_step(model, pynet.MSELoss(), pynet.optim.SGD(model, 0)), pynet.compile_predict(model)
    x, y = rows_of_both(30), np.ones((30, 2))
    step(x, y)
    predict(x)
    embedding, columns = model[0][0][1], model[0][0][0]
    for change in (
        lambda: setattr(embedding, "weight", np.ones((CODES, 3))),
        lambda: setattr(embedding, "padding_idx", 1),
        lambda: setattr(columns, "columns", [-3]),
        lambda: embedding.freeze(),
        lambda: embedding.unfreeze(),
        lambda: setattr(model[0], "layers", [model[0][1], model[0][0]]),
    ):
        change()
        np.testing.assert_allclose(predict(x), model.forward(x), rtol=1e-12)
        step(x, y, gradients=True)
        assert step.compiled
        got, criterion = [np.copy(grad) for grad in model.grad_parameters()], pynet.MSELoss()
        model.backward(x, criterion.backward(model.forward(x), y))
        for one, other in zip(got, model.grad_parameters(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


def test_more_vectors_than_float32_has_whole_numbers_are_left_to_the_modules():
    model = pynet.Sequential(
        pynet.Embedding(2**24 + 1, 1, dtype=np.float32), pynet.Flatten(), L(1, 1, dtype=np.float32)
    )
    predict = pynet.compile_predict(model)
    x = np.array([[2**24], [2**24 - 1]])
    for _ in range(2):
        np.testing.assert_array_equal(predict(x), model.forward(x))
    assert "does not hold every index" in predict.reason


def test_a_trainer_takes_a_table_compiled_from_its_first_epoch_on(monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("module by module")

    for part in ("compiled.step", "training.trainer"):
        monkeypatch.setattr(f"pynet.{part}.step_by_modules", refuse)
    model = table()
    x = rows_of_both(200)
    y = np.array([3.0, -1, 0, 2, 5])[x[:, 0].astype(int), None] + x[:, 1:]
    trainer = pynet.Trainer(model, pynet.MSELoss(), pynet.optim.Adam(model, 0.05))
    history = trainer.fit(x, y, epochs=100, batch_size=20)
    assert history["loss"][-1] < 1e-2 * history["loss"][0]
