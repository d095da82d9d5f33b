"""Compiled steps under bad treatment: threads, signals, forks, broken modules."""

import copy
import dataclasses
import pickle
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from compiled_steps import batch, loop_step, network, same_bits, sgd

import pynet


class TestMishaps:
    """What somebody will do one day."""

    def setup_method(self):
        self.model = pynet.Sequential(
            pynet.Linear(6, 30, seed=0), pynet.Dropout(0.3, seed=1), pynet.Linear(30, 3, seed=1)
        )
        self.step = pynet.compile_step(self.model, pynet.CrossEntropyLoss(), sgd(self.model))
        self.x, self.y = batch(40, 6, 3)

    def test_the_plan_may_change_while_an_epoch_runs(self):
        order = np.tile(np.arange(40), 20000)
        stop = threading.Event()

        def disturb():
            while not stop.wait(0.001):
                self.model[1].p = 0.3
                assert self.step.compiled

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            losses = self.step.epoch(self.x, self.y, order, 400)
        finally:
            stop.set()
            thread.join()
        assert losses.shape == (2000,)
        assert np.all(np.isfinite(losses))

    def test_labels_that_change_while_an_epoch_runs_are_refused(self):
        y = self.y.copy()

        def poll(done):
            y[:] = 10**12
            return False

        order, ends = np.tile(np.arange(40), 20000), np.arange(40, 800001, 40)
        with pytest.raises(ValueError, match="no class any more"):
            self.step.run(self.x, y, order, ends, np.zeros(len(ends)), poll)

    @pytest.mark.parametrize("label", [-(2**63), 2**62, -1])
    def test_no_label_is_too_odd_to_be_refused(self, label):
        model = pynet.Sequential(pynet.Linear(6, 3, seed=0), pynet.SoftMax())
        step = pynet.compile_step(model, pynet.CrossEntropy(), sgd(model))
        with pytest.raises(ValueError, match="expected 0 to 2"):
            step(self.x[:2], np.array([label, 1]))

    def test_class_weights_of_another_number_raise_as_in_the_loop(self):
        self.step.criterion.weight = [1.0, 2.0]
        assert "2 weights" in self.step.reason
        with pytest.raises(pynet.ShapeError, match="weight"):
            self.step(self.x, self.y)

    def test_class_weights_cannot_be_written_into(self):
        criterion = pynet.CrossEntropyLoss([1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match="read-only"):
            criterion.weight[0] = 5

    @pytest.mark.parametrize("layers", [[], [pynet.Dropout(0.5)], [pynet.ReLU(), pynet.Identity()]])
    def test_a_model_without_features_is_not_compiled(self, layers):
        model = pynet.Sequential(*layers)
        model.aux = pynet.Linear(3, 2)
        predict = pynet.compile_predict(model)
        assert not predict.compiled
        assert np.array_equal(predict(np.ones((2, 3))), np.ones((2, 3)))

    def test_parts_of_a_gradient_do_not_overlap(self):
        layers = [pynet.Linear(401, 333, seed=0), pynet.SoftMax(), pynet.Linear(333, 1001, seed=1)]
        model = pynet.Sequential(*layers).astype(np.float32)
        x, y = batch(1, 401, 1001, np.float32)
        step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.0))
        loop_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.0), x, y)
        expected = [gradient.copy() for gradient in model.grad_parameters()]
        for _ in range(200):
            step(x, y, gradients=True)
            for got, wanted in zip(model.grad_parameters(), expected, strict=True):
                np.testing.assert_allclose(got, wanted, atol=1e-5)

    @pytest.mark.parametrize("run", ["epoch", "fit"])
    def test_batches_of_one_row_are_refused_before_batch_norm_moves(self, run):
        self.model.layers.insert(1, pynet.BatchNorm(30))
        before = self.model.state_dict()
        trainer = pynet.Trainer(self.model, self.step.criterion, self.step.optimizer)
        call = {"epoch": self.step.epoch, "fit": trainer.fit}[run]
        with pytest.raises(ValueError, match="expected more than one in training mode"):
            call(self.x, self.y, batch_size=1)
        assert same_bits(before, self.model.state_dict())

    @pytest.mark.parametrize("metrics", [(), "mae"])
    def test_a_diverged_run_of_modules_moves_nothing(self, metrics):
        model = pynet.Sequential(pynet.Linear(4, 2, seed=0), pynet.Tanh())
        x, y = np.ones((8, 5, 4)), np.ones((8, 5, 2))
        y[3] = np.nan
        before = model.state_dict()
        with pytest.raises(pynet.DivergedError):
            pynet.Trainer(model, pynet.MSELoss(), sgd(model), metrics=metrics).fit(x, y, 2)
        assert same_bits(before, model.state_dict())

    def test_an_optimizer_with_a_step_of_its_own_is_asked_to_step(self):
        class Counting(pynet.optim.SGD):
            count = 0

            def step(self):
                self.count += 1
                super().step()

        optimizer = Counting(self.model, 0.1)
        step = pynet.compile_step(self.model, pynet.CrossEntropyLoss(), optimizer)
        step(self.x, self.y)
        assert optimizer.count == 1
        assert "a step of its own" in step.reason

    def test_methods_of_single_objects_are_seen(self):
        self.step(self.x, self.y)
        calls = []
        forward = self.model[2].forward
        self.model[2].forward = lambda x: calls.append(x) or forward(x)
        self.step(self.x, self.y)
        assert len(calls) == 1
        del self.model[2].forward
        backward = self.step.criterion.backward
        self.step.criterion.backward = lambda *a: calls.append(a) or backward(*a)
        self.step(self.x, self.y)
        assert len(calls) == 2

    def test_limits_may_be_assigned_but_nothing_else(self):
        self.step(self.x, self.y)
        before = self.model.state_dict()
        self.step.clip_norm = 1e-12
        self.step.optimizer.momentum = 0.0
        self.step(self.x, self.y)
        moved = max(np.abs(before[name] - array).max() for name, array in self.model.state_dict().items())
        assert 0 < moved < 1e-10
        with pytest.raises(ValueError, match="clip_norm"):
            self.step.clip_norm = 0
        for name in ("model", "criterion", "optimizer"):
            with pytest.raises(AttributeError):
                setattr(self.step, name, None)

    def test_an_input_may_lie_where_a_parameter_does(self):
        model = pynet.Sequential(pynet.Linear(32, 32, bias=False, dtype=np.float32, seed=0))
        twin = copy.deepcopy(model)
        step = pynet.compile_step(model, pynet.MSELoss(), pynet.optim.SGD(model, 100.0))
        y = np.zeros((32, 32), np.float32)
        loop_step(twin, pynet.MSELoss(), pynet.optim.SGD(twin, 100.0), twin[0].W.copy(), y)
        step(model[0].W, y)
        np.testing.assert_allclose(model[0].W, twin[0].W, rtol=1e-4, atol=1e-5)

    def test_a_layer_that_hides_its_parameters_is_not_moved(self):
        class Fixed(pynet.Linear):
            def parameters(self):
                return []

            def grad_parameters(self):
                return []

        model = pynet.Sequential(Fixed(6, 4, seed=0), pynet.ReLU(), pynet.Linear(4, 3, seed=1))
        before = model[0].W.copy()
        step = pynet.compile_step(model, pynet.CrossEntropyLoss(), sgd(model))
        step(self.x, self.y)
        assert "other arrays" in step.reason
        assert np.array_equal(model[0].W, before)

    def test_the_last_output_outlives_a_change(self):
        self.step(self.x, self.y)
        output = self.step.output
        self.model[1].p = 0.1
        assert self.step.compiled
        assert np.array_equal(self.step.output, output)

    def test_a_forked_child_may_step(self):
        code = (
            "import os, threading, time, numpy as np, pynet\n"
            "model = pynet.Sequential(pynet.Linear(500, 800, seed=0), pynet.Linear(800, 10, seed=1))\n"
            "step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model))\n"
            "x, y = np.ones((2000, 500)), np.zeros(2000, int)\n"
            "thread = threading.Thread(target=lambda: [step(x, y) for _ in range(20)])\n"
            "thread.start(); time.sleep(0.05); child = os.fork()\n"
            "if child == 0:\n    step(x[:10], y[:10]); os._exit(7)\n"
            "thread.join(); print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.stdout == "7\n", done.stderr

    def test_memory_that_there_is_not_leaves_a_usable_step(self):
        code = (
            "import resource, numpy as np, pynet\n"
            "model = pynet.Sequential(pynet.Linear(4, 2000, seed=0), pynet.Linear(2000, 300, seed=1))\n"
            "step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.0))\n"
            "x, y = np.ones((100000, 4)), np.zeros(100000, int)\n"
            "first = step(x[:50], y[:50])\n"
            "resource.setrlimit(resource.RLIMIT_AS, (1500 << 20, -1))\n"
            "try:\n    step(x, y)\nexcept MemoryError:\n    print(step(x[:40], y[:40]) == first or 'close')\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.stdout in ("True\n", "close\n"), done.stderr


@pytest.mark.parametrize(
    ("order", "ends", "losses"),
    [
        (np.arange(8), np.array([4, 8]), np.zeros(1)),
        (np.arange(8), np.array([4, 8]), np.zeros(2, np.float32)),
        (np.arange(8), np.array([4, 9]), np.zeros(2)),
        (np.arange(8), np.array([8, 4]), np.zeros(2)),
        (np.arange(8), np.array([4, 4]), np.zeros(2)),
        (np.arange(8), np.array([0, 8]), np.zeros(2)),
        (np.zeros((2, 4), int), np.array([8]), np.zeros(1)),
    ],
)
def test_batches_that_are_none_are_refused(order, ends, losses):
    model = network(3, 2)
    step = pynet.compile_step(model, pynet.MSELoss(), sgd(model))
    before = [array.copy() for array in model.parameters()]
    with pytest.raises(ValueError, match=r"order|ends|losses"):
        step.run(np.ones((8, 3)), np.ones((8, 2)), order, ends, losses)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


class Interrupted(np.random.Generator):
    """Does something else before it draws."""

    do = staticmethod(lambda: None)

    def integers(self, *arguments, **options):
        self.do()
        return super().integers(*arguments, **options)


def test_the_plan_may_change_while_a_mask_is_drawn():
    generator = Interrupted(np.random.PCG64(0))
    model = pynet.Sequential(pynet.Linear(6, 64), pynet.Dropout(0.2, seed=generator), pynet.Linear(64, 10))
    step = pynet.compile_step(model, pynet.CrossEntropyLoss(), sgd(model))
    x, y = batch(512, 6, 10)

    def assign():
        model[0].W = np.array(model[0].W)
        assert step.compiled

    generator.do = assign
    for _ in range(3):
        step(x, y)
        assert step.output.shape == (512, 10)
        assert np.isfinite(step.output).all()


def test_a_call_that_is_refused_leaves_the_running_epoch_alone():
    x, y = batch(6400, 60, 10)
    order, ends = np.tile(np.arange(6400), 10), np.arange(256, 64001, 256)
    inside = threading.Event()

    def losses_of(step):
        losses = np.zeros(len(ends))
        step.run(x, y, order, ends, losses, lambda done: inside.set())
        return losses

    def new_step():
        model = network(60, 300, 10)
        return pynet.compile_step(model, pynet.CrossEntropyLoss(), sgd(model))

    def refused_meanwhile(step):
        found, refused = [], 0
        inside.clear()
        thread = threading.Thread(target=lambda: found.append(losses_of(step)))
        thread.start()
        assert inside.wait(60)
        while thread.is_alive():
            try:
                step.epoch(x[:300], (y[:300] + 1) % 10, batch_size=300)
            except pynet.StateError:
                refused += 1
            else:
                break  # it is over
        thread.join()
        return refused, found[0]

    expected = losses_of(new_step())
    for _ in range(10):  # a busy machine may come back here too late
        refused, losses = refused_meanwhile(new_step())
        assert np.array_equal(losses, expected)
        if refused:
            break
    assert refused


@pytest.mark.parametrize("seed", [None, 4])
@pytest.mark.parametrize("how", ["step", "epoch"])
def test_outputs_that_a_criterion_refuses_are_those_of_the_loop(how, seed):
    def error_of(run):
        model = pynet.Sequential(pynet.Linear(6, 8, seed=0), pynet.Dropout(0.5, seed=seed), pynet.Linear(8, 3, seed=1))
        np.random.seed(3)
        with pytest.raises(ValueError, match=r"input has -?\d.* expected probabilities") as caught:
            run(model)
        # Masks come from the same numbers after it, too.
        return str(caught.value), np.random.rand(), model[1].forward(np.ones((2, 50)))

    x, target = batch(5, 6, 3)[0], np.zeros((5, 3))

    def compiled(model):
        step = pynet.compile_step(model, pynet.BCELoss(), sgd(model))
        step(x, target) if how == "step" else step.epoch(x, target, batch_size=5)

    by_hand = error_of(lambda model: loop_step(model, pynet.BCELoss(), sgd(model), x, target))
    for ours, theirs in zip(error_of(compiled), by_hand, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_step_put_on_an_optimizer_is_seen():
    model = network(6, 5, 3)
    optimizer = sgd(model)
    step, (x, y) = pynet.compile_step(model, pynet.CrossEntropyLoss(), optimizer), batch(4, 6, 3)
    step(x, y)
    optimizer.step = lambda: None
    before = model.state_dict()
    step(x, y)
    assert same_bits(before, model.state_dict())


def test_models_are_told_apart_by_what_they_are_not_by_what_they_equal():
    @dataclasses.dataclass
    class Net(pynet.Module):  # equal to others of the same arrays, and without a hash
        layer: pynet.Linear

        def forward(self, input):
            inside.wait(10)
            time.sleep(0.05)
            return self.layer.forward(input)

        def backward(self, input, grad_output):
            return self.layer.backward(input, grad_output)

    def step_of(model):
        return pynet.compile_step(model, pynet.MSELoss(), sgd(model))

    def results(steps):
        found = []

        def run(step):
            try:
                found.append(step(np.ones((2, 3)), np.ones((2, 2))))
            except pynet.StateError:
                found.append("refused")

        threads = [threading.Thread(target=run, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        inside.set()
        for thread in threads:
            thread.join()
        return found

    inside, layer = threading.Event(), pynet.Linear(3, 2)
    one, other = Net(layer), Net(layer)
    assert one == other
    assert "refused" not in results([step_of(one), step_of(other)])
    inside.clear()
    assert "refused" in results([step_of(one), step_of(one)])


def table_step(seed=None):
    layers = pynet.Embedding(5, 4, seed=0), pynet.Flatten(), pynet.Dropout(0.5, seed=seed), pynet.Linear(8, 3, seed=1)
    model = pynet.Sequential(*layers)
    step = pynet.compile_step(model, pynet.CrossEntropyLoss(), sgd(model))
    x, y = np.array([[0.0, 1], [2, 3], [4, 0], [1, 1]]), np.array([0, 1, 2, 0])
    step(x, y)  # how many columns there are
    assert step.compiled
    return model, step, x, y


@pytest.mark.parametrize("how", ["step", "epoch"])
def test_a_refused_step_leaves_nothing_for_later_masks(how):
    def masks(model):
        np.random.seed(0)
        return [model[2].forward(np.ones((2, 64))).tobytes() for _ in range(3)]

    model, step, x, y = table_step()
    expected = masks(model)
    with pytest.raises(ValueError, match="index 9"):
        step(x + 9, y) if how == "step" else step.epoch(x + 9, y, batch_size=4)
    copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    assert all(masks(each) == expected for each in (model, *copies))


def test_a_call_that_comes_to_nothing_leaves_the_last_output():
    model = network(6, 5, 3)
    step, (x, y) = pynet.compile_step(model, pynet.CrossEntropyLoss(), sgd(model)), batch(4, 6, 3)
    step(x, y)
    output = step.output
    with pytest.raises(ValueError, match="no row that counts"):
        step.epoch(np.tile(x, (250, 1)), np.full(1000, -100), batch_size=500)
    assert np.array_equal(step.output, output)
