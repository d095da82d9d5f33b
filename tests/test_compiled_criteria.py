"""Criteria in a compiled step: what they refuse, targets that are not as long as outputs, and options that change."""

import copy

import numpy as np
import pytest
from compiled_steps import assert_close, loop_step, network, same_bits, sgd, state

import pynet

random = np.random.default_rng(0)
X = random.normal(size=(30, 4))
Y = random.uniform(0, 1, (30, 2))
AMOUNTS = random.normal(size=30)


def with_norm(outputs=2):
    return pynet.Sequential(pynet.Linear(4, 6, seed=0), pynet.BatchNorm(6), pynet.Linear(6, outputs, seed=1))


REFUSING = [
    (pynet.BCELoss(), Y, "expected probabilities from 0 to 1"),
    (pynet.GaussianNLLLoss(), Y[:, :1].copy(), "has the variance"),
]


@pytest.mark.parametrize(("criterion", "y", "says"), REFUSING, ids=["BCELoss", "GaussianNLLLoss"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_that_refused_outputs_move_nothing(criterion, y, says, dtype):
    model = with_norm().astype(dtype)
    optimizer = sgd(model)
    step = pynet.compile_step(model, criterion, optimizer)
    model[2].b[:] = 0.5
    model[2].W *= 1e-3
    step(X, y)  # all is well here
    assert step.compiled
    model[2].b[:] = -5
    before = copy.deepcopy(state(model, optimizer))
    parameters = {name: array for name, array in before.items() if "running" not in name and "tracked" not in name}
    calls = {
        "step": lambda: step(X, y),
        "finite step": lambda: step.finite_step(X, y, False),
        "epoch": lambda: step.epoch(X, y, batch_size=10),
        "fit": lambda: pynet.Trainer(model, criterion, optimizer).fit(X, y, 2, batch_size=10),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=says):
            call()
        now = state(model, optimizer)
        assert same_bits(parameters, {key: now[key] for key in parameters}), name


@pytest.mark.parametrize(("criterion", "y", "says"), REFUSING, ids=["BCELoss", "GaussianNLLLoss"])
def test_that_nan_goes_through_them_as_in_the_loop(criterion, y, says):
    ends = pynet.Sigmoid()
    x = X.copy()
    x[3, 1] = np.nan
    model = pynet.Sequential(pynet.Linear(4, 2, seed=0), ends)
    twin = copy.deepcopy(model)
    optimizers = sgd(model), sgd(twin)
    step = pynet.compile_step(model, criterion, optimizers[0])
    assert np.isnan(step(x, y))
    assert np.isnan(loop_step(twin, criterion, optimizers[1], x, y))
    assert_close(state(model, optimizers[0]), state(twin, optimizers[1]), np.float64)
    assert np.isnan(model[0].W).any()
    # Where a loss that is not finite is to move nothing, it does not.
    fresh = pynet.Sequential(pynet.Linear(4, 2, seed=0), ends)
    before = fresh[0].W.copy()
    trainer = pynet.Trainer(fresh, criterion, sgd(fresh))
    with pytest.raises(pynet.DivergedError):
        trainer.fit(x, y, 1, batch_size=30)
    np.testing.assert_array_equal(fresh[0].W, before)


SHORTER = [
    (pynet.PinballLoss([0.1, 0.5, 0.9]), 3, [AMOUNTS, AMOUNTS[:, None]]),
    (pynet.GaussianNLLLoss(eps=0.3), 2, [AMOUNTS, AMOUNTS[:, None]]),
    (pynet.GaussianNLLLoss(True), 4, [Y]),
]


@pytest.mark.parametrize(("criterion", "outputs", "targets"), SHORTER, ids=lambda part: repr(part)[:30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_that_targets_may_have_other_columns_than_outputs(criterion, outputs, targets, dtype):
    for y in targets:
        model = network(4, 5, outputs, dtype=dtype).append(pynet.Sigmoid())
        twin, third = copy.deepcopy(model), copy.deepcopy(model)
        ours, theirs, whole = sgd(model), sgd(twin), sgd(third)
        step, epoch = pynet.compile_step(model, criterion, ours), pynet.compile_step(third, criterion, whole)
        order = np.random.default_rng(1).permutation(30)
        losses = epoch.epoch(X, y, order, 10)
        for i in range(3):
            rows = order[10 * i : 10 * i + 10]
            wanted = loop_step(twin, criterion, theirs, X[rows].astype(dtype), y[rows])
            assert step(X[rows], y[rows]) == pytest.approx(float(wanted), rel=1e-5)
            assert losses[i] == pytest.approx(float(wanted), rel=1e-5)
        assert step.compiled, step.reason
        assert_close(state(model, ours), state(twin, theirs), dtype)
        assert_close(state(third, whole), state(twin, theirs), dtype)
        with pytest.raises(pynet.ShapeError, match="target has shape"):
            step(X, np.ones((30, 7)))


MISFITS = [
    (pynet.BCEWithLogitsLoss(pos_weight=[1.0, 2.0, 3.0]), "is of 3 columns, the model has 5", (30, 5)),
    (pynet.PinballLoss([0.1, 0.5, 0.9]), "is of 3 columns, the model has 5", (30, 1)),
    (pynet.GaussianNLLLoss(), "as many means as variances, the model has 5", (30, 2)),
    (pynet.NLLLoss([1.0, 2.0]), "has 2 weights, the model 5 classes", (30, 5)),
]


@pytest.mark.parametrize(("criterion", "reason", "shape"), MISFITS, ids=lambda part: repr(part)[:30])
def test_that_what_does_not_fit_the_outputs_is_not_compiled_and_raises(criterion, reason, shape):
    model = network(4, 5)
    before = copy.deepcopy(model.state_dict())
    step = pynet.compile_step(model, criterion, sgd(model))
    assert reason in step.reason
    with pytest.raises(pynet.ShapeError):
        step(X, np.ones(shape))
    assert same_bits(before, model.state_dict())


def test_that_changed_options_are_seen():
    model = network(4, 3)
    twin = copy.deepcopy(model)
    criterion = pynet.HuberLoss(delta=0.1)
    ours, theirs = sgd(model), sgd(twin)
    step = pynet.compile_step(model, criterion, ours)
    for delta, reduction in ((0.1, "mean"), (2.0, "mean"), (2.0, "sum")):
        criterion.delta, criterion.reduction = delta, reduction
        y = 0.01 * random.normal(size=(30, 3))
        assert step(X, y) == pytest.approx(float(loop_step(twin, criterion, theirs, X, y)), rel=1e-9)
    assert step.compiled
    assert_close(state(model, ours), state(twin, theirs), np.float64)
    criterion.reduction = "none"
    assert "not one number" in step.reason
