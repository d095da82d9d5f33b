"""Weights of rows in a compiled step, in an epoch and in a Trainer: what modules with a weighted criterion compute."""

import copy

import numpy as np
import pytest
from compiled_steps import DTYPES, Doubled, assert_close, learning, network, same_bits, sgd, state, tolerance
from table import CRITERIA

import pynet

WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0, 3.0])


def weighted_step(model, criterion, optimizer, x, y, weight):
    """Module by module, with the weights that criteria take."""
    output = model.forward(x)
    loss = criterion.forward(output, y, weight)
    model.backward(x, criterion.backward(output, y, weight))
    optimizer.step()
    return loss


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", [case for case in CRITERIA if "none" not in repr(case.make())])
def test_that_every_criterion_weighs_rows_as_in_the_loop(case, dtype):
    criterion, model, x, y = learning(case, dtype)
    twin = copy.deepcopy(model)
    optimizer, own = sgd(model), sgd(twin)
    step = pynet.compile_step(twin, criterion, own)
    for weight in (WEIGHTS[: len(x)], WEIGHTS[: len(x)].tolist(), WEIGHTS[: len(x)].astype(np.float32)):
        expected = weighted_step(model, criterion, optimizer, x, y, weight)
        np.testing.assert_allclose(step(x, y, weight=weight), expected, **tolerance(dtype))
        assert step.compiled, step.reason
        assert_close(state(twin, own), state(model, optimizer), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [40, 1000])
def test_that_an_epoch_takes_the_weights_of_its_rows(rows, dtype):
    random = np.random.default_rng(0)
    x, y, w = random.normal(size=(rows, 6)).astype(dtype), random.integers(0, 3, rows), random.uniform(0, 2, rows)
    model = network(6, 30, 3, dtype=dtype)
    twin = copy.deepcopy(model)
    criterion, optimizer, own = pynet.CrossEntropyLoss(), sgd(model), sgd(twin)
    step = pynet.compile_step(twin, criterion, own)
    order = random.permutation(rows)[: rows // 2]
    losses = step.epoch(x, y, order, rows // 4, weight=w)
    assert step.compiled
    assert len(losses) == 2
    for loss, chosen in zip(losses, np.split(order, 2), strict=True):
        np.testing.assert_allclose(
            loss, weighted_step(model, criterion, optimizer, x[chosen], y[chosen], w[chosen]), **tolerance(dtype)
        )
    assert_close(state(twin, own), state(model, optimizer), dtype)


class HalfSquares(pynet.Criterion):
    """A criterion of one's own that knows no weights but says what rows cost."""

    def forward(self, input, target):
        return np.sum((input - target) ** 2) / 2

    def backward(self, input, target):
        return input - target

    def row_losses(self, input, target):
        return np.sum((input - target) ** 2, axis=1) / 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("layer", "criterion"), [(Doubled(), pynet.MSELoss("sum")), (pynet.Tanh(), HalfSquares())])
def test_that_what_runs_module_by_module_weighs_rows_too(layer, criterion, dtype):
    random = np.random.default_rng(0)
    x, y, w = random.normal(size=(8, 4)).astype(dtype), random.normal(size=(8, 2)), random.uniform(0, 2, 8)
    model = pynet.Sequential(pynet.Linear(4, 2, seed=0), layer).astype(dtype)
    twin = copy.deepcopy(model)
    half = 0.5 if isinstance(criterion, HalfSquares) else 1
    optimizer, own = sgd(model), sgd(twin)
    step = pynet.compile_step(twin, criterion, own)
    assert not step.compiled
    for call in (lambda: step(x, y, weight=w), lambda: step.epoch(x, y, batch_size=8, weight=w)[0]):
        expected = half * weighted_step(model, pynet.MSELoss("sum"), pynet.optim.SGD(model, 0.0), x, y, w)
        np.testing.assert_allclose(call(), expected, **tolerance(dtype))
        output = model.forward(x)
        model.backward(x, half * pynet.MSELoss("sum").backward(output, y, w))
        optimizer.step()
        assert_close(state(twin, own), state(model, optimizer), dtype)
    before = copy.deepcopy(twin.state_dict())
    with pytest.raises(pynet.ShapeError, match=r"weight has shape \(3,\), expected \(8,\): one for each row"):
        step(x, y, weight=w[:3])
    with pytest.raises(ValueError, match="weight must be finite and not negative"):
        step(x, y, weight=-w)
    assert same_bits(before, twin.state_dict())


def test_that_a_trainer_compiles_steps_of_weighted_rows(monkeypatch):
    random = np.random.default_rng(0)
    x, y, w = random.normal(size=(50, 4)), random.integers(0, 3, 50), random.uniform(0.5, 2, 50)

    def run(metrics=(), **weights):
        model = network(4, 8, 3)
        trainer = pynet.Trainer(model, pynet.CrossEntropyLoss(), sgd(model), metrics=metrics)
        return trainer.fit(x, y, 3, batch_size=16, seed=0, **weights)["loss"], model.state_dict()

    def by_modules(*arguments, **options):
        raise AssertionError("a step ran module by module")

    monkeypatch.setattr("pynet.training.trainer.step_by_modules", by_modules)
    monkeypatch.setattr("pynet.compiled.step.step_by_modules", by_modules)
    losses, weights = run(sample_weight=w)
    in_batches = run(("accuracy",), sample_weight=w)
    assert in_batches[0] == pytest.approx(losses, rel=1e-12)
    assert_close(in_batches[1], weights, np.float64)
    # The mean weight is 1 for a Trainer.
    by_hand = network(4, 8, 3)
    optimizer, order = sgd(by_hand), np.random.default_rng(0)
    for _ in range(3):
        rows = order.permutation(50)
        for batch in (rows[:16], rows[16:32], rows[32:48], rows[48:]):
            weighted_step(by_hand, pynet.CrossEntropyLoss(), optimizer, x[batch], y[batch], (w / w.mean())[batch])
    assert_close(by_hand.state_dict(), weights, np.float64)
    run(class_weight="balanced")
