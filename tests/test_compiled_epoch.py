"""Many compiled steps in one call."""

import copy
import signal
import threading
import time

import numpy as np
import pytest
from compiled_steps import batch, same_bits, sgd, state

import pynet


class TestEpoch:
    """Many steps in one call."""

    def setup_method(self):
        self.X, self.y = batch(103, 9, 4)
        self.model = pynet.Sequential(
            pynet.Linear(9, 20, seed=0), pynet.Dropout(0.3, seed=1), pynet.Linear(20, 4, seed=1)
        )
        self.optimizer = sgd(self.model)
        self.step = pynet.compile_step(self.model, pynet.CrossEntropyLoss(), self.optimizer)

    @pytest.mark.parametrize("batch_size", [1, 7, 34, 51, 200])
    def test_it_is_one_step_after_another(self, batch_size):
        twin = copy.deepcopy(self.step)
        order = np.random.default_rng(0).permutation(103)
        losses = self.step.epoch(self.X, self.y, order, batch_size)
        ends = [*range(batch_size, 103, batch_size), 103]
        if len(ends) > 1 and batch_size > 1 and ends[-1] - ends[-2] == 1:
            del ends[-2]
        rows = np.split(order, ends[:-1])
        expected = [twin(self.X[r], self.y[r]) for r in rows]
        assert losses.tolist() == expected
        assert same_bits(state(self.model, self.optimizer), state(twin.model, twin.optimizer))
        assert np.array_equal(self.step.output, twin.output)

    def test_rows_are_amounts_as_well(self):
        targets = np.random.default_rng(0).normal(size=(103, 4))
        step = pynet.compile_step(self.model, pynet.MSELoss(), self.optimizer)
        twin = copy.deepcopy(step)
        losses = step.epoch(self.X.tolist(), targets.astype(np.float32), batch_size=50)
        targets = targets.astype(np.float32).astype(float)
        assert losses.tolist() == [
            twin(self.X[:50], targets[:50]),
            twin(self.X[50:100], targets[50:100]),
            twin(self.X[100:], targets[100:]),
        ]

    def test_negative_rows_and_repeated_ones_are_numpys(self):
        twin = copy.deepcopy(self.step)
        losses = self.step.epoch(self.X, self.y, [-1, 5, 5, 0], 2)
        assert losses.tolist() == [twin(self.X[[102, 5]], self.y[[102, 5]]), twin(self.X[[5, 0]], self.y[[5, 0]])]

    @pytest.mark.parametrize(
        ("order", "batch_size", "error"),
        [
            ([0, 103], 2, IndexError),
            ([-104], 2, IndexError),
            ([0.5], 2, TypeError),
            ([[1]], 2, pynet.ShapeError),
            (None, 0, ValueError),
            (None, 1.5, TypeError),
        ],
    )
    def test_wrong_orders_are_refused(self, order, batch_size, error):
        before = state(self.model, self.optimizer)
        with pytest.raises(error):
            self.step.epoch(self.X, self.y, order, batch_size)
        assert same_bits(before, state(self.model, self.optimizer))

    def test_labels_are_checked_before_anything_moves(self):
        before = state(self.model, self.optimizer)
        self.y[-1] = 4
        with pytest.raises(ValueError, match="label 4 in row 102"):
            self.step.epoch(self.X, self.y, batch_size=10)
        assert same_bits(before, state(self.model, self.optimizer))

    def test_no_rows_are_no_batches(self):
        assert self.step.epoch(self.X, self.y, []).shape == (0,)

    def test_ctrl_c_ends_it_and_leaves_a_usable_model(self):
        X, y = batch(4000, 9, 4)
        order = np.tile(np.arange(4000), 2000)
        for _ in range(3):
            timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
            timer = threading.Timer(0.3, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))
            timer.start()
            start = time.perf_counter()
            with pytest.raises(KeyboardInterrupt):
                self.step.epoch(X, y, order, 32)
            assert time.perf_counter() - start < 5
        assert np.isfinite(self.step(X[:32], y[:32]))
