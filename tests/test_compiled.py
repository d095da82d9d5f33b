"""Compiled steps and predictions: equal to the loop over modules, and every rule of what a change in between means."""

import copy
import itertools
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from table import CRITERIA

import pynet

DTYPES = [np.float32, np.float64]


def tolerance(dtype):
    return {"rtol": 2e-4, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-11}


def loop_step(model, criterion, optimizer, x, y, clip_norm=None, clip_value=None):
    """What a compiled step computes, module by module."""
    output = model.forward(x)
    loss = criterion.forward(output, y)
    model.backward(x, criterion.backward(output, y))
    if clip_norm is not None:
        pynet.optim.clip_grad_norm_(model, clip_norm)
    if clip_value is not None:
        pynet.optim.clip_grad_value_(model, clip_value)
    optimizer.step()
    return loss


def state(model, optimizer):
    kept = optimizer.state_dict()["state"]
    return model.state_dict() | {
        f"{name}/{key}": np.asarray(value) for name, values in kept.items() for key, value in values.items()
    }


def assert_close(a, b, dtype):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], err_msg=name, **tolerance(dtype))


def same_bits(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


def network(*dims, dtype=np.float64, activation=pynet.ReLU):
    layers = []
    for i, (a, b) in enumerate(itertools.pairwise(dims)):
        layers += [pynet.Linear(a, b, dtype=dtype, seed=i), activation()]
    return pynet.Sequential(*layers[:-1])


def batch(rows, columns, classes, dtype=np.float64, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, columns)).astype(dtype), random.integers(0, classes, rows)


def pair(model, criterion, make_optimizer, **options):
    """A loop over modules and a compiled step, of equal models."""
    twin = copy.deepcopy(model)
    optimizer = make_optimizer(model)
    step = pynet.compile_step(twin, criterion, make_optimizer(twin), **options)
    return (lambda x, y: loop_step(model, criterion, optimizer, x, y, **options)), optimizer, step


def compare(model, criterion, make_optimizer, data, dtype, steps=20, **options):
    run, optimizer, step = pair(model, criterion, make_optimizer, **options)
    for i in range(steps):
        x, y = data(i)
        expected = run(x, y)
        got = step(x, y)
        assert step.compiled, step.reason
        np.testing.assert_allclose(got, expected, **tolerance(dtype))
        np.testing.assert_allclose(step.output, model.output, **tolerance(dtype))
        if i in (0, steps - 1):
            assert_close(state(step.model, step.optimizer), state(model, optimizer), dtype)
    return step


def sgd(model):
    return pynet.optim.SGD(model, 0.05, momentum=0.9)


MIDDLES = [
    pynet.ReLU,
    pynet.LeakyReLU,
    lambda: pynet.LeakyReLU(-0.5),
    pynet.Sigmoid,
    pynet.Tanh,
    pynet.SoftMax,
    pynet.LogSoftMax,
    lambda: pynet.Dropout(0.4, seed=3),
    lambda: pynet.BatchNorm(20),
    lambda: pynet.BatchNorm(20, eps=0.1, momentum=0.3, affine=False),
    pynet.Identity,
    pynet.Flatten,
    pynet.Sequential,
    lambda: pynet.Sequential(pynet.ReLU(), pynet.Sequential(pynet.Dropout(0.2, seed=1), pynet.Tanh())),
    lambda: pynet.Sequential(pynet.BatchNorm(20), pynet.ReLU(), pynet.Dropout(0.5, seed=1)),
    lambda: pynet.Sequential(pynet.SoftMax(), pynet.ReLU(), pynet.BatchNorm(20), pynet.LogSoftMax(), pynet.SoftMax()),
    lambda: pynet.Sequential(pynet.LeakyReLU(0.1), pynet.ReLU(), pynet.ReLU(), pynet.Dropout(0.1, seed=2)),
]


@pytest.mark.parametrize("rows", [2, 9, 150])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", MIDDLES)
def test_every_layer_between_others_is_as_in_the_loop(make, dtype, rows):
    layer = make().astype(dtype)
    model = pynet.Sequential(
        pynet.Linear(6, 20, dtype=dtype, seed=0), layer, pynet.Linear(20, 4, dtype=dtype, bias=False, seed=1)
    )
    compare(model, pynet.CrossEntropyLoss(), sgd, lambda i: batch(rows, 6, 4, dtype, i), dtype)


@pytest.mark.parametrize("rows", [2, 9, 150])
@pytest.mark.parametrize("make", MIDDLES)
def test_every_layer_first_and_last_is_as_in_the_loop(make, rows):
    model = pynet.Sequential(make(), pynet.Linear(20, 20, seed=0), copy.deepcopy(make()))
    random = np.random.default_rng(0)
    data = [(random.normal(size=(rows, 20)), random.normal(size=(rows, 20))) for _ in range(5)]
    before = copy.deepcopy(data)
    compare(model, pynet.MSELoss(), sgd, lambda i: data[i], np.float64, steps=5)
    assert all(np.array_equal(a, b) for a, b in zip(data[0] + data[1], before[0] + before[1], strict=True))


@pytest.mark.parametrize("rows", [1, 3, 33, 130, 500])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dims", [(1, 1), (5, 3), (8, 64, 64, 4), (33, 17, 40), (300, 400, 70), (16, 1, 1, 2)])
def test_shapes_of_all_kinds_are_as_in_the_loop(dims, dtype, rows):
    model = network(*dims, dtype=dtype)
    compare(model, pynet.CrossEntropyLoss(), sgd, lambda i: batch(rows, dims[0], dims[-1], dtype, i), dtype, steps=4)


OPTIMIZERS = [
    lambda m: pynet.optim.SGD(m, 0.1),
    lambda m: pynet.optim.SGD(m, 0.1, weight_decay=0.01),
    lambda m: pynet.optim.SGD(m, 0.05, momentum=0.9),
    lambda m: pynet.optim.SGD(m, 0.05, momentum=0.9, dampening=0.5, weight_decay=0.1),
    lambda m: pynet.optim.SGD(m, 0.05, momentum=0.9, nesterov=True),
    lambda m: pynet.optim.Adam(m, 0.01),
    lambda m: pynet.optim.Adam(m, 0.01, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1),
    lambda m: pynet.optim.AdamW(m, 0.01),
    lambda m: pynet.optim.AdamW(m, 0.01, weight_decay=0.5),
]


@pytest.mark.parametrize("rows", [1, 20, 140])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_every_optimizer_is_as_in_the_loop(make, dtype, rows):
    model = network(7, 40, 5, dtype=dtype)
    compare(model, pynet.CrossEntropyLoss(), make, lambda i: batch(rows, 7, 5, dtype, i), dtype)


@pytest.mark.parametrize("options", [{"clip_norm": 0.5}, {"clip_value": 0.01}, {"clip_norm": 1.0, "clip_value": 0.1}])
@pytest.mark.parametrize("rows", [1, 20, 140])
@pytest.mark.parametrize("dtype", DTYPES)
def test_clipped_gradients_are_as_in_the_loop(dtype, rows, options):
    model = pynet.Sequential(pynet.Linear(7, 40, seed=0), pynet.Linear(40, 5, seed=1)).astype(dtype)
    data = [batch(rows, 7, 5, dtype, i) for i in range(20)]
    compare(model, pynet.CrossEntropyLoss(), sgd, lambda i: (data[i][0] * 10, data[i][1]), dtype, **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CRITERIA)
def test_every_criterion_is_as_in_the_loop(case, dtype):
    criterion, columns = case.make(), case.input.shape[1] if case.input.ndim == 2 else 1
    last = [pynet.SoftMax()] if isinstance(criterion, pynet.CrossEntropy) else []
    model = pynet.Sequential(pynet.Linear(4, columns, seed=0), *last).astype(dtype)
    x = np.random.default_rng(0).normal(size=(len(case.input), 4)).astype(dtype)
    y = case.target if case.target.dtype.kind == "i" else case.target.astype(dtype)
    y = y[:, None] if case.input.ndim == 1 else y
    if getattr(criterion, "reduction", "") == "none":
        step = pynet.compile_step(model, criterion, sgd(model))
        assert not step.compiled
        assert "not one number" in step.reason
    else:
        compare(model, criterion, sgd, lambda i: (x, y), dtype)


def random_network(random, dtype):
    columns, layers = int(random.integers(1, 60)), []
    first = columns
    for i in range(random.integers(1, 9)):
        kind = random.integers(0, 9) if i else 8
        layers.append(
            [
                pynet.ReLU,
                pynet.LeakyReLU,
                pynet.Sigmoid,
                pynet.Tanh,
                pynet.LogSoftMax,
                lambda i=i: pynet.Dropout(0.2, seed=i),
                lambda c=columns: pynet.BatchNorm(c),
                lambda: pynet.Sequential(pynet.Tanh(), pynet.ReLU()),
                None,
            ][kind]
        )
        if layers[-1] is None:
            wide = int(random.integers(1, 90))
            layers[-1] = lambda c=columns, w=wide, i=i: pynet.Linear(c, w, bias=bool(i % 3), seed=i)
            columns = wide
    return pynet.Sequential(*[make() for make in layers]).astype(dtype), first, columns


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_are_as_in_the_loop(seed):
    random = np.random.default_rng(seed)
    dtype = DTYPES[seed % 2]
    model, columns, classes = random_network(random, dtype)
    rows = int(random.choice([2, 5, 31, 64, 129, 260]))
    make = OPTIMIZERS[seed % len(OPTIMIZERS)]
    data = [batch(rows, columns, classes, dtype, i) for i in range(20)]
    run, _optimizer, step = pair(model, pynet.CrossEntropyLoss(), make)
    losses = [(run(*pair_), step(*pair_)) for pair_ in data]
    assert step.compiled, step.reason
    # Rounding grows from step to step, most where BatchNorm divides by small deviations.
    scale = 50 if dtype == np.float32 else 1e4
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=scale * 2e-5 if dtype == np.float32 else 1e-6)


def test_masks_are_those_of_the_loop_from_numpys_global_generator():
    model = pynet.Sequential(
        pynet.Linear(5, 70, seed=0), pynet.Dropout(), pynet.Linear(70, 70, seed=1), pynet.Dropout(0.1)
    )
    run, _, step = pair(model, pynet.MSELoss(), sgd)
    x, y = np.random.default_rng(0).normal(size=(6, 5)), np.zeros((6, 70))
    np.random.seed(7)
    expected = [run(x, y) for _ in range(5)]
    np.random.seed(7)
    np.testing.assert_allclose([step(x, y) for _ in range(5)], expected, rtol=1e-12)


def test_loop_and_compiled_step_can_take_turns():
    model = pynet.Sequential(
        pynet.Linear(6, 30, seed=0), pynet.BatchNorm(30), pynet.Dropout(seed=1), pynet.Linear(30, 3)
    )
    twin = copy.deepcopy(model)
    criterion, a, b = pynet.CrossEntropyLoss(), pynet.optim.Adam(model), pynet.optim.Adam(twin)
    step = pynet.compile_step(twin, criterion, b)
    for i in range(20):
        x, y = batch(12, 6, 3, seed=i)
        expected = loop_step(model, criterion, a, x, y)
        got = step(x, y) if i % 3 else loop_step(twin, criterion, b, x, y)
        np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert_close(state(twin, b), state(model, a), np.float64)


def test_results_do_not_depend_on_the_number_of_threads():
    before = pynet.get_num_threads()
    try:
        for dims, rows in [
            ((784, 256, 128, 10), 32),
            ((784, 256, 128, 10), 300),
            ((500, 600, 10), 1),
            ((64, 200, 9), 90),
        ]:
            results = []
            for threads in (1, 2, 3, 8):
                pynet.set_num_threads(threads)
                model = network(*dims, dtype=np.float32)
                step = pynet.compile_step(model, pynet.CrossEntropyLoss(), sgd(model), clip_norm=0.5)
                for i in range(5):
                    step(*batch(rows, dims[0], dims[-1], np.float32, i))
                prediction = pynet.compile_predict(model, freeze=True)(batch(rows, dims[0], 2, np.float32)[0])
                results.append(model.state_dict() | {"prediction": prediction})
            assert all(same_bits(results[0], other) for other in results[1:])
    finally:
        pynet.set_num_threads(before)


class TestRules:
    """What a compiled step sees, keeps and leaves alone."""

    def setup_method(self):
        self.model = pynet.Sequential(pynet.Linear(6, 30, seed=0), pynet.ReLU(), pynet.Linear(30, 3, seed=1))
        self.optimizer = sgd(self.model)
        self.step = pynet.compile_step(self.model, pynet.CrossEntropyLoss(), self.optimizer)
        self.x, self.y = batch(12, 6, 3)

    def follows(self, steps=3):
        """Whether it computes what the loop does, from now on."""
        twin = copy.deepcopy(self.model)
        optimizer = type(self.optimizer)(twin, **{k: getattr(self.optimizer, k) for k in self.optimizer.options})
        kept, names = self.optimizer.state_dict(), dict(twin.named_parameters())
        kept["state"] = {name: entry for name, entry in kept["state"].items() if name in names}
        optimizer.load_state_dict(kept)
        for _ in range(steps):
            expected = loop_step(twin, self.step.criterion, optimizer, self.x, self.y)
            np.testing.assert_allclose(self.step(self.x, self.y), expected, rtol=1e-9)
        assert_close(state(self.model, self.optimizer), state(twin, optimizer), np.float64)
        return True

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
        tiny = np.float32(1e-39)
        self.model.astype(np.float32)
        self.step(self.x, self.y)
        assert tiny * np.float32(1) == tiny
        assert tiny != 0


class Doubled(pynet.Module):
    """A user's layer."""

    def forward(self, input):
        self.output = 2 * input
        return self.output

    def backward(self, input, grad_output):
        return 2 * grad_output


class OwnForward(pynet.Linear):
    def forward(self, input):
        return super().forward(input) + 1


def tied():
    first, second = pynet.Linear(3, 3, seed=0), pynet.Linear(3, 3, seed=1)
    second.W = first.W
    return pynet.Sequential(first, second)


def shared():
    layer = pynet.Linear(3, 3, seed=0)
    return pynet.Sequential(layer, pynet.ReLU(), layer)


def hooked():
    model = pynet.Sequential(pynet.Linear(3, 3, seed=0), pynet.ReLU())
    model[1].register_forward_hook(lambda *args: None)
    return model


NOT_COMPILED = [
    (lambda: pynet.Sequential(pynet.Linear(3, 3, seed=0), Doubled()), "layer 1, Doubled(), has no compiled form"),
    (lambda: pynet.Sequential(OwnForward(3, 3, seed=0)), "has a forward or backward of its own"),
    (tied, "share memory"),
    (shared, "stands twice"),
    (hooked, "has hooks"),
    (
        lambda: pynet.Sequential(pynet.Linear(3, 3, seed=0), pynet.Linear(3, 3, dtype=np.float32, seed=0)),
        "parameters of one dtype",
    ),
]


@pytest.mark.parametrize(("make", "reason"), NOT_COMPILED)
def test_what_cannot_be_compiled_runs_module_by_module_and_says_why(make, reason):
    model, twin = make(), make()
    optimizer, other = sgd(model), sgd(twin)
    step, criterion = pynet.compile_step(model, pynet.MSELoss(), optimizer, clip_norm=0.3), pynet.MSELoss()
    assert not step.compiled
    assert reason in step.reason
    random = np.random.default_rng(0)
    for _ in range(3):
        x, y = random.normal(size=(5, 3)), random.normal(size=(5, 3))
        assert step(x, y) == loop_step(twin, criterion, other, x, y, clip_norm=0.3)
        assert np.array_equal(step.output, twin.output)
    assert same_bits(state(model, optimizer), state(twin, other))
    losses = step.epoch(x, y, batch_size=2)
    assert losses.shape == (2,)
    assert np.all(np.isfinite(losses))
    predict = pynet.compile_predict(model)
    if not hooked or reason != "has hooks":
        np.testing.assert_allclose(predict(x), model.eval().forward(x))


def test_a_step_compiles_again_when_the_obstacle_is_gone():
    model = hooked()
    step = pynet.compile_step(model, pynet.MSELoss(), sgd(model))
    x = np.ones((2, 3))
    step(x, x)
    assert not step.compiled
    del model[1].forward
    model.layers[1] = pynet.ReLU()
    step(x, x)
    assert step.compiled
    assert step.reason == ""
    handle = model[1].register_backward_hook(lambda *args: None)
    assert not step.compiled
    handle.remove()
    assert step.compiled


def test_inputs_of_more_axes_are_flattened_or_left_to_the_modules():
    x, y = np.random.default_rng(0).normal(size=(10, 4, 3)), np.arange(10) % 5
    flat = pynet.Sequential(pynet.Flatten(), pynet.Linear(12, 5, seed=0))
    compare(flat, pynet.CrossEntropyLoss(), sgd, lambda i: (x, y), np.float64, steps=3)
    deep = pynet.Sequential(pynet.Linear(3, 5, seed=0))
    target = np.zeros((10, 4, 5))
    run, _, step = pair(deep, pynet.MSELoss(), sgd)
    for _ in range(3):
        np.testing.assert_allclose(step(x, target), run(x, target), rtol=1e-12)
        np.testing.assert_allclose(step.output, deep.output, rtol=1e-12)
    np.testing.assert_allclose(pynet.compile_predict(deep)(x), deep.forward(x), rtol=1e-12)
    np.testing.assert_allclose(pynet.compile_predict(flat)(x), flat.forward(x), rtol=1e-12)


def test_arguments_are_checked():
    model = network(3, 4, 2)
    for arguments, error in [
        ((object(), pynet.MSE(), sgd(model)), TypeError),
        ((model, pynet.MSE, sgd(model)), TypeError),
        ((model, pynet.MSE(), pynet.optim.SGD), TypeError),
        ((model, pynet.MSE(), sgd(network(3, 4, 2))), ValueError),
    ]:
        with pytest.raises(error):
            pynet.compile_step(*arguments)
    with pytest.raises(ValueError, match="clip_norm"):
        pynet.compile_step(model, pynet.MSE(), sgd(model), clip_norm=-1)
    with pytest.raises(TypeError, match="model"):
        pynet.compile_predict(3)


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
            ([0.5], 2, pynet.ShapeError),
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


class TestPredict:
    """Predictions: those of evaluation mode, and nothing moves."""

    def setup_method(self):
        self.model = pynet.Sequential(
            pynet.Linear(9, 50, seed=0),
            pynet.BatchNorm(50),
            pynet.ReLU(),
            pynet.Dropout(0.5),
            pynet.Linear(50, 40, seed=1),
            pynet.Tanh(),
            pynet.BatchNorm(40, affine=False),
            pynet.Linear(40, 3, bias=False, seed=2),
            pynet.SoftMax(),
        )
        random = np.random.default_rng(5)
        for i in (1, 6):
            self.model[i].running_mean[...] = random.normal(size=self.model[i].running_mean.shape)
            self.model[i].running_var[...] = random.uniform(0.5, 2, self.model[i].running_var.shape)

    def expected(self, x):
        return copy.deepcopy(self.model).eval().forward(x)

    @pytest.mark.parametrize("freeze", [False, True])
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("rows", [1, 2, 31, 130, 700])
    def test_they_are_those_of_evaluation_mode(self, rows, dtype, freeze):
        self.model.astype(dtype)
        before = self.model.state_dict()
        predict = pynet.compile_predict(self.model, freeze=freeze)
        assert predict.compiled
        assert predict.frozen == freeze
        x = batch(rows, 9, 3, dtype)[0]
        for _ in range(2):
            np.testing.assert_allclose(predict(x), self.expected(x), **tolerance(dtype))
        assert predict(x).dtype == dtype
        assert same_bits(before, self.model.state_dict())
        assert self.model.training
        assert self.model[0].output is None

    @pytest.mark.parametrize("dims", [(5, 3), (784, 256, 10), (300, 2100, 300, 7)])
    @pytest.mark.parametrize("rows", [1, 5, 64, 200])
    @pytest.mark.parametrize("freeze", [False, True])
    def test_of_all_sizes(self, dims, rows, freeze):
        model = network(*dims, dtype=np.float32)
        x = batch(rows, dims[0], 3, np.float32)[0]
        np.testing.assert_allclose(
            pynet.compile_predict(model, freeze=freeze)(x), model.forward(x), rtol=2e-4, atol=2e-5
        )

    def test_later_changes_count_unless_frozen(self):
        x = batch(20, 9, 3)[0]
        live, frozen = pynet.compile_predict(self.model), pynet.compile_predict(self.model, freeze=True)
        first = live(x)
        np.testing.assert_allclose(frozen(x), first, rtol=1e-9)
        self.model[0].W *= 2
        self.model[1].running_mean += 1
        self.model.layers[5] = pynet.Sigmoid()
        np.testing.assert_allclose(live(x), self.expected(x), rtol=1e-9)
        assert not np.allclose(live(x), first)
        np.testing.assert_allclose(frozen(x), first, rtol=1e-9)

    def test_many_threads_get_their_own_answers(self):
        predict = pynet.compile_predict(network(9, 500, 500, 4, dtype=np.float32))
        inputs = [batch(300, 9, 3, np.float32, seed)[0] for seed in range(8)]
        expected = [predict(x) for x in inputs]
        wrong = []

        def work(i):
            for _ in range(20):
                if not np.array_equal(predict(inputs[i]), expected[i]):
                    wrong.append(i)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_what_was_computed_in_training_is_not_taken_for_a_prediction(self):
        model = pynet.Sequential(pynet.Linear(9, 50, seed=0), Doubled(), pynet.Dropout(0.5, seed=1))
        x = batch(20, 9, 3)[0]
        model.forward(x)
        np.testing.assert_allclose(pynet.compile_predict(model)(x), copy.deepcopy(model).eval().forward(x))
        assert model.training

    def test_wrong_inputs_raise_what_the_modules_would(self):
        predict = pynet.compile_predict(self.model)
        with pytest.raises(pynet.ShapeError, match=r"Linear\(9, 50\): input has 8 features, expected 9"):
            predict(np.zeros((4, 8)))
        with pytest.raises(TypeError, match="real numbers"):
            predict(np.zeros((4, 9), complex))
        assert predict(np.zeros((0, 9))).shape == (0, 3)
        assert np.array_equal(predict(np.ones((2, 9), int)), predict(np.ones((2, 9)).tolist()))

    def test_copies_and_pickles_predict_the_same(self):
        x = batch(20, 9, 3)[0]
        for freeze in (False, True):
            predict = pynet.compile_predict(self.model, freeze=freeze)
            expected = predict(x)
            for twin in (copy.deepcopy(predict), pickle.loads(pickle.dumps(predict))):
                assert np.array_equal(twin(x), expected)
                assert twin.frozen == freeze


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
