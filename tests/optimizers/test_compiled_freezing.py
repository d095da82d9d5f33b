"""Compiled steps leave frozen layers alone, and see at once what is frozen."""

import copy
from functools import partial

import numpy as np
import pytest
from compiled_steps import DTYPES, assert_close, batch, loop_step, pair, state, tolerance

import pynet
from pynet.optim import SGD, Adam


def copies(arrays):
    return [np.copy(array) for array in arrays]


def unchanged(arrays, before):
    return all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))


def compiled_network(dtype):
    return pynet.Sequential(
        pynet.Linear(7, 30, seed=0),
        pynet.BatchNorm(30),
        pynet.ReLU(),
        pynet.Sequential(pynet.Linear(30, 20, bias=False, seed=1), pynet.ReLU(), pynet.Linear(20, 9, seed=2)),
        pynet.SoftMax(),
        pynet.BatchNorm(9),
        pynet.Linear(9, 5, seed=3),
        pynet.ReLU(),
    ).astype(dtype)


PARTS = [[0], [1], [0, 1], [3], [0, 1, 3], [0, 3], [1, 3], [5], [6], [5, 6], [3, 5, 6], [0, 1, 3, 5], [0, 1, 3, 5, 6]]


@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.1, "clip_value": 0.05}])
@pytest.mark.parametrize("rows", [2, 20, 70, 200])
@pytest.mark.parametrize("parts", PARTS, ids=str)
def test_compiled_steps_leave_frozen_parts_alone(parts, rows, options):
    dtype = DTYPES[len(parts) % 2]
    without_statistics = rows == 200
    model = compiled_network(dtype).train(not without_statistics)
    if without_statistics:  # the schedule by rows
        model = pynet.Sequential(*[layer for layer in model if not isinstance(layer, pynet.BatchNorm)])
    places = [place for place in parts if place < len(model)]
    for place in places:
        model[place].freeze()
    run, optimizer, step = pair(model, pynet.CrossEntropyLoss(), partial(SGD, lr=0.05, momentum=0.9), **options)
    before = [copies(step.model[place].parameters()) for place in places]
    for i in range(5):
        x, y = batch(rows, 7, 5, dtype, i)
        grads = [copies(step.model[place].grad_parameters()) for place in places]
        np.testing.assert_allclose(step(x, y, gradients=True), run(x, y), **tolerance(dtype))
        assert step.compiled, step.reason
        for ours, theirs in zip(step.model.grad_parameters(), model.grad_parameters(), strict=True):
            np.testing.assert_allclose(ours, theirs, **tolerance(dtype))
        for place, kept in zip(places, grads, strict=True):
            assert unchanged(step.model[place].grad_parameters(), kept)
    for place, kept in zip(places, before, strict=True):
        assert unchanged(step.model[place].parameters(), kept)
    assert_close(state(step.model, step.optimizer), state(model, optimizer), dtype)


@pytest.mark.parametrize("rows", [1, 20, 140])
def test_a_single_linear_on_top_learns_as_in_the_loop(rows):
    model = pynet.Sequential(
        pynet.Linear(7, 400, seed=0), pynet.Tanh(), pynet.Linear(400, 300, seed=1), pynet.ReLU(), pynet.Linear(300, 5)
    )
    model[:3].freeze()
    run, _, step = pair(model, pynet.CrossEntropyLoss(), partial(Adam, lr=0.01))
    for i in range(5):
        x, y = batch(rows, 7, 5, seed=i)
        np.testing.assert_allclose(step(x, y), run(x, y), rtol=1e-9)
    assert step.compiled


def test_freezing_after_compilation_is_seen():
    model = compiled_network(np.float64)
    twin = copy.deepcopy(model)
    a, b = Adam(model, 0.01, weight_decay=0.1), Adam(twin, 0.01, weight_decay=0.1)
    criterion = pynet.CrossEntropyLoss()  # one, for making another is a change that is seen too
    step = pynet.compile_step(twin, criterion, b)
    for i in range(16):
        if i == 4:
            model[3].freeze()
            twin[3].freeze()
        if i == 7:
            model[3][0].unfreeze()
            twin[3][0].unfreeze()
        if i in (8, 10):
            model[0].frozen = twin[0].frozen = i == 8
        if i == 12:
            model.unfreeze()
            twin.unfreeze()
        before = [(net[0].W.copy(), net[3][2].W.copy()) for net in (model, twin)]
        x, y = batch(20, 7, 5, seed=i)
        loss = loop_step(model, criterion, a, x, y)
        np.testing.assert_allclose(step(x, y), loss, rtol=1e-8)
        assert step.compiled, step.reason
        for net, (first, fourth) in zip((model, twin), before, strict=True):
            assert np.array_equal(net[0].W, first) == (i in (8, 9))
            assert np.array_equal(net[3][2].W, fourth) == (4 <= i < 12)
    assert_close(state(twin, b), state(model, a), np.float64)


class Unaware(pynet.Linear):
    """A layer with a compiled form that knows nothing of freezing."""

    def forward(self, input):
        self.output = input @ self.W.T + self.b
        return self.output

    def backward(self, input, grad_output):
        self.grad_W[...], self.grad_b[...] = grad_output.T @ input, grad_output.sum(0)
        return grad_output @ self.W

    def add_to(self, plan):
        plan.linear(self.W, self.b, self.grad_W, self.grad_b)


def test_a_compiled_form_that_knows_nothing_of_freezing_is_not_taken():
    model = pynet.Sequential(Unaware(7, 6), pynet.Linear(6, 5))
    step = pynet.compile_step(model, pynet.CrossEntropyLoss(), Adam(model))
    step(*batch(8, 7, 5))
    assert step.compiled
    model[0].freeze()
    before = copies(model[0].parameters() + model[0].grad_parameters())
    step(*batch(8, 7, 5))
    assert "is frozen, which its compiled form does not know" in step.reason
    assert unchanged(model[0].parameters() + model[0].grad_parameters(), before)


def test_an_epoch_and_a_trainer_leave_frozen_layers_alone():
    X, y = batch(60, 7, 5)
    model = compiled_network(np.float64)
    model[:3].freeze()
    before = copies(model[:3].parameters())
    mean = model[1].running_mean.copy()
    pynet.Trainer(model, pynet.CrossEntropyLoss(), Adam(model)).fit(X, y, epochs=2, seed=0)
    assert unchanged(model[:3].parameters(), before)
    assert not np.array_equal(model[1].running_mean, mean)
