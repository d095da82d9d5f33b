"""Every rule of what a change between two compiled steps means."""

import copy
import pickle
import threading

import numpy as np
import pytest
from compiled_steps import assert_close, batch, loop_step, network, same_bits, sgd, state
from table import CRITERIA, MODULES

import pynet


class TestRules:
    """What a compiled step sees, keeps and leaves alone."""

    def setup_method(self):
        self.model = pynet.Sequential(pynet.Linear(6, 30, seed=0), pynet.ReLU(), pynet.Linear(30, 3, seed=1))
        self.optimizer = sgd(self.model)
        self.step = pynet.compile_step(self.model, pynet.CrossEntropyLoss(), self.optimizer)
        self.x, self.y = batch(12, 6, 3)

    def follows(self, steps=3):
        """Whether it computes what the loop does, from now on."""
        twin, kept = copy.deepcopy(self.model), self.optimizer.state_dict()
        losses = [self.step(self.x, self.y) for _ in range(steps)]
        optimizer = type(self.optimizer)(twin, **{k: getattr(self.optimizer, k) for k in self.optimizer.options})
        names = dict(twin.named_parameters())
        kept["state"] = {name: entry for name, entry in kept["state"].items() if name in names}
        optimizer.load_state_dict(kept)
        for loss in losses:
            expected = loop_step(twin, self.step.criterion, optimizer, self.x, self.y)
            np.testing.assert_allclose(loss, expected, rtol=1e-9)
        assert_close(state(self.model, self.optimizer), state(twin, optimizer), np.float64)
        # The twin's optimizer has made it look at everything anew: now, and not after the change that comes next.
        return self.step.compiled

    def test_arrays_stay_the_same_objects(self):
        before = self.model.parameters() + self.model.grad_parameters()
        self.step(self.x, self.y)
        assert all(a is b for a, b in zip(before, self.model.parameters() + self.model.grad_parameters(), strict=True))

    def test_what_is_written_into_parameters_counts(self):
        assert self.follows()
        self.model[0].W[...] = 0.1
        self.model[2].b += 1
        assert self.follows()

    @pytest.mark.parametrize("name", ["W", "b", "weight", "bias", "grad_W", "grad_b"])
    def test_an_assigned_array_is_seen(self, name):
        assert self.follows()
        setattr(self.model[0], name, np.full_like(getattr(self.model[0], name), 0.1))
        assert self.follows()
        assert self.step.compiled

    def test_a_changed_optimizer_is_seen(self):
        assert self.follows()
        self.optimizer.lr = 0.5
        assert self.follows()
        self.optimizer.weight_decay = 0.3
        self.optimizer.nesterov = True
        assert self.follows()
        self.optimizer.nesterov, self.optimizer.momentum = False, 0.0
        assert self.follows()
        self.optimizer.momentum = 0.5
        assert self.follows()

    def test_changed_layers_are_seen(self):
        self.model.append(pynet.LeakyReLU(0.1))
        assert self.follows()
        self.model[3].slope = 0.9
        assert self.follows()
        self.model.append(pynet.Dropout(0.5, seed=3))
        assert self.follows()
        self.model[4].p = 0.1
        assert self.follows()
        self.model.layers[3] = pynet.Tanh()
        assert self.follows()
        del self.model.layers[4]
        assert self.follows()
        self.model.layers = [*self.model.layers[:1], pynet.Linear(30, 3, seed=9)]
        assert self.follows()
        assert self.step.compiled

    def test_a_changed_batch_norm_is_seen(self):
        self.model.layers.insert(1, pynet.BatchNorm(30))
        assert self.follows()
        self.model[1].eps, self.model[1].momentum = 0.5, 0.9
        assert self.follows()
        self.model[1].running_mean[...] = 3
        self.model[1].eval()
        assert self.follows()
        self.model[1].running_var[...] = 3
        assert self.follows()
        assert self.step.compiled

    def test_a_changed_criterion_is_seen(self):
        assert self.follows()
        self.step.criterion.label_smoothing = 0.3
        assert self.follows()
        self.step.criterion.weight = [1.0, 2.0, 3.0]
        assert self.follows()
        self.step.criterion.reduction = "sum"
        assert self.follows()
        self.step.criterion.ignore_index = int(self.y[0])
        assert self.follows()
        assert self.step.compiled

    def test_what_is_constructed_meanwhile_has_no_step_described_anew(self):
        self.step(self.x, self.y)
        plan, other = self.step._plan, network(6, 3)
        for make in (
            *(case.make for case in MODULES + CRITERIA),
            lambda: sgd(other),
            lambda: pynet.compile_step(other, pynet.MSE(), sgd(other), clip_norm=1.0),
        ):
            make()
            self.step(self.x, self.y)
            assert self.step._plan is plan, make

    def test_each_modules_mode_counts(self):
        self.model.layers[1:1] = [pynet.Dropout(0.5, seed=1), pynet.BatchNorm(30)]
        for change in [self.model.eval, self.model[1].train, self.model[2].train, self.model.eval, self.model.train]:
            change()
            assert self.follows()
        self.model[1].training = False
        assert self.follows()
        assert self.step.compiled

    def test_the_models_dtype_may_change(self):
        assert self.follows()
        self.model.astype(np.float32)
        loss = self.step(self.x, self.y)
        assert self.step.compiled
        assert self.step.output.dtype == np.float32
        assert loss == np.float32(loss)

    def test_gradients_are_left_only_on_request(self):
        for gradient in self.model.grad_parameters():
            gradient[...] = 7
        self.step(self.x, self.y)
        assert all(np.all(gradient == 7) for gradient in self.model.grad_parameters())
        twin = copy.deepcopy(self.model)
        self.step(self.x, self.y, gradients=True)
        loop_step(twin, self.step.criterion, sgd(twin), self.x, self.y)
        for got, expected in zip(self.model.grad_parameters(), twin.grad_parameters(), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)

    def test_clipped_gradients_are_left_clipped(self):
        step = pynet.compile_step(self.model, self.step.criterion, self.optimizer, clip_value=1e-3)
        step(self.x, self.y, gradients=True)
        assert max(np.abs(gradient).max() for gradient in self.model.grad_parameters()) == 1e-3

    def test_the_output_is_that_of_the_last_step_and_a_copy(self):
        assert self.step.output is None
        expected = self.model.forward(self.x)
        self.step(self.x, self.y)
        first = self.step.output
        np.testing.assert_allclose(first, expected, rtol=1e-12)
        self.step(self.x[:5], self.y[:5])
        assert self.step.output.shape == (5, 3)
        np.testing.assert_allclose(first, expected, rtol=1e-12)

    @pytest.mark.parametrize(
        "convert",
        [
            lambda x: x.tolist(),
            lambda x: np.asfortranarray(x),
            lambda x: x.astype(np.float32),
            lambda x: np.repeat(x, 2, axis=0)[::2],
            lambda x: x.astype(">f8"),
        ],
    )
    def test_inputs_and_targets_are_converted(self, convert):
        x = np.asarray(convert(self.x), np.float64)
        twin = copy.deepcopy(self.model)
        expected = loop_step(twin, self.step.criterion, sgd(twin), x, self.y)
        got = self.step(convert(self.x), self.y.astype(np.int32).tolist())
        np.testing.assert_allclose(got, expected, rtol=1e-9)
        assert self.step.compiled

    @pytest.mark.parametrize(
        ("x", "y", "error", "text"),
        [
            (np.zeros((4, 5)), np.zeros(4, int), pynet.ShapeError, "Linear(6, 30): input has 5 features, expected 6"),
            (np.zeros(6), np.zeros(1, int), pynet.ShapeError, "one sample is x[None]"),
            (np.zeros((4, 6)), np.zeros(3, int), pynet.ShapeError, "target has shape (3,), expected (4,)"),
            (np.zeros((4, 6)), np.array([0, 1, 2, 3]), ValueError, "target has label 3 in row 3, expected 0 to 2"),
            (np.zeros((4, 6)), np.array([0, 1, -1, 2]), ValueError, "target has label -1 in row 2, expected 0 to 2"),
            (np.zeros((4, 6)), np.full(4, -100), ValueError, "no row that counts"),
            (np.zeros((4, 6)), np.zeros((4, 2)), pynet.ShapeError, "target has shape (4, 2), expected (4, 3)"),
            (np.zeros((0, 6)), np.zeros(0, int), ValueError, "empty batch"),
            (np.zeros((4, 6), complex), np.zeros(4, int), TypeError, "input must be an array of real numbers"),
            (np.zeros((4, 6)), np.array(["a"] * 4), TypeError, "target must be an array of real numbers"),
        ],
    )
    def test_wrong_data_raise_what_the_modules_would_and_move_nothing(self, x, y, error, text):
        self.step(self.x, self.y)
        before, random = state(self.model, self.optimizer), np.random.get_state()[1].copy()
        with pytest.raises(error) as raised:
            self.step(x, y)
        assert text in str(raised.value)
        assert same_bits(before, state(self.model, self.optimizer))
        assert np.array_equal(random, np.random.get_state()[1])
        assert self.follows()

    def test_one_row_is_too_few_for_batch_norm(self):
        self.model.layers.insert(1, pynet.BatchNorm(30))
        before = state(self.model, self.optimizer)
        with pytest.raises(ValueError, match="expected more than one in training mode"):
            self.step(self.x[:1], self.y[:1])
        assert same_bits(before, state(self.model, self.optimizer))
        self.model.eval()
        self.step(self.x[:1], self.y[:1])

    def test_a_read_only_parameter_is_refused(self):
        self.step(self.x, self.y)
        self.model[0].W.flags.writeable = False
        with pytest.raises(ValueError, match=r"read-only|writable"):
            self.step(self.x, self.y)
        self.model[0].W.flags.writeable = True
        assert self.follows()

    def test_a_second_thread_is_refused(self):
        model = network(600, 1500, 10, dtype=np.float32)
        criterion, optimizer = pynet.CrossEntropyLoss(), sgd(model)
        steps = [pynet.compile_step(model, criterion, optimizer) for _ in range(2)]
        x, y = batch(3000, 600, 10, np.float32)
        errors = []

        def work(step):
            for _ in range(5):
                try:
                    step(x, y)
                except pynet.StateError as error:
                    errors.append(str(error))

        threads = [threading.Thread(target=work, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors
        assert "one at a time" in errors[0]
        assert np.isfinite(steps[0](x, y))

    def test_models_of_two_threads_do_not_disturb_each_other(self):
        models = [network(40, 300, 5) for _ in range(2)]
        steps = [pynet.compile_step(model, pynet.CrossEntropyLoss(), sgd(model)) for model in models]
        x, y = batch(400, 40, 5)

        def work(step):
            for _ in range(30):
                step(x, y)

        threads = [threading.Thread(target=work, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert same_bits(models[0].state_dict(), models[1].state_dict())

    def test_copies_and_pickles_are_steps_of_their_own(self):
        self.step(self.x, self.y)
        for twin in (copy.deepcopy(self.step), pickle.loads(pickle.dumps(self.step))):
            assert twin.model is not self.model
            assert twin.optimizer.model is twin.model
            before = state(self.model, self.optimizer)
            twin(self.x, self.y)
            assert same_bits(before, state(self.model, self.optimizer))
        first = twin(self.x, self.y)
        self.step(self.x, self.y)
        np.testing.assert_allclose(self.step(self.x, self.y), first, rtol=1e-9)

    def test_the_optimizers_state_is_its_own(self):
        for _ in range(3):
            self.step(self.x, self.y)
        kept = self.optimizer.state_dict()
        assert {name: entry["step"] for name, entry in kept["state"].items()} == dict.fromkeys(
            ["0.weight", "0.bias", "2.weight", "2.bias"], 3
        )
        self.optimizer.load_state_dict(kept)
        assert self.follows()

    def test_denormals_are_flushed_inside_and_nowhere_else(self):
        tiny = np.full(3, 1e-39, np.float32)
        model = pynet.Sequential(pynet.Linear(3, 3, dtype=np.float32)).astype(np.float32)
        model[0].W[...], model[0].b[...] = np.diag(tiny), 0
        step = pynet.compile_step(model, pynet.MSELoss(), pynet.optim.SGD(model, 1e-3))
        step(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32))
        assert not step.output.any()
        assert (tiny * np.float32(1) == tiny).all()
        assert tiny.all()
