"""A machine that calls the public API in random order, and compares after every call with a NumPy model of it."""

import copy
from itertools import compress

import numpy as np
import pytest
from notebook_reference import Sequential
from notebook_training import SGD, MSELoss

import pynet

pytest.importorskip("hypothesis")
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from own_layers import Scale
from properties import settled

WIDTH, MANY = 4, 7
LAYERS = {
    "Linear": lambda: pynet.Linear(WIDTH, WIDTH),
    "without bias": lambda: pynet.Linear(WIDTH, WIDTH, bias=False),
    "ReLU": pynet.ReLU,
    "LeakyReLU": lambda: pynet.LeakyReLU(0.1),
    "Tanh": pynet.Tanh,
    "Sigmoid": pynet.Sigmoid,
    "SoftMax": pynet.SoftMax,
    "LogSoftMax": pynet.LogSoftMax,
    "Dropout": lambda: pynet.Dropout(0.3),
    "BatchNorm": lambda: pynet.BatchNorm(WIDTH),
    "nested": lambda: pynet.Sequential(pynet.Linear(WIDTH, WIDTH), pynet.Tanh()),
    "Scale": lambda: Scale(WIDTH),
}
names, seeds = st.sampled_from(sorted(LAYERS)), st.integers(0, 2**32 - 1)
rows = st.sampled_from([2, 3, 6])


def numbers(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def is_frozen(layer):
    return getattr(layer.of, "frozen", False)


class PublicApi(RuleBasedStateMachine):
    """A model with its optimizer and a compiled step, and the same in NumPy."""

    @initialize(chosen=st.lists(names, max_size=3), seed=seeds, momentum=st.sampled_from([0, 0.9]))
    def begin(self, chosen, seed, momentum):
        np.random.seed(seed)
        self.model = pynet.Sequential(pynet.Linear(WIDTH, WIDTH), *[LAYERS[name]() for name in chosen])
        self.optimizer = pynet.optim.SGD(self.model, 0.01, momentum)
        self.criterion = pynet.MSELoss()
        self.step = pynet.compile_step(self.model, self.criterion, self.optimizer)
        self.numpy, self.sgd = Sequential(self.model), SGD(0.01, momentum)
        self.kept = self.x = None

    # Calls of the model

    @rule(rows=rows, seed=seeds)
    def forward(self, rows, seed):
        self.x = numbers(seed, rows, WIDTH)
        self.y, self.expected = self.model.forward(self.x), self.numpy.forward(self.x)
        np.testing.assert_allclose(self.y, self.expected, rtol=1e-9, atol=1e-11)
        assert self.model.output is self.y

    @precondition(lambda self: self.x is not None)
    @rule(seed=seeds, accumulate=st.booleans(), elsewhere=st.booleans())
    def backward(self, seed, accumulate, elsewhere):
        x = numbers(seed + 1, *self.x.shape) if elsewhere else self.x
        grad = numbers(seed, *self.x.shape)
        got, want = self.model.backward(x, grad, accumulate=accumulate), self.backward_of_numpy(x, grad, accumulate)
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10)

    @rule(training=st.booleans())
    def switch(self, training):
        assert (self.model.train() if training else self.model.eval()) is self.model
        if training:
            self.x = None  # there may be no mask of this shape

    # Changes of the model

    @precondition(lambda self: len(self.model) < MANY)
    @rule(name=names)
    def append(self, name):
        layer = LAYERS[name]()
        if isinstance(layer, pynet.Module):
            layer.train(self.model.training)
        self.model.append(layer)
        added = Sequential([layer]).layers
        self.numpy.layers += added
        self.x = None
        if self.sgd.velocity is not None:
            self.sgd.velocity += [np.zeros_like(array) for part in added for array in part.arrays]

    @rule(seed=seeds, place=st.integers(0, 20), in_place=st.booleans())
    def assign_weights(self, seed, place, in_place):
        linear = [(a, b) for a, b in zip(self.ours(), self.numpy.layers, strict=True) if isinstance(a, pynet.Linear)]
        ours, mine = linear[place % len(linear)]
        new = numbers(seed, WIDTH, WIDTH) / 2
        mine.arrays[0][...] = new
        if in_place:
            ours.W[...] = new
        else:
            ours.W = new

    @rule(value=st.floats(0, 0.8), name=st.sampled_from(["p", "slope", "momentum", "eps"]))
    def change_a_number_of_a_layer(self, value, name):
        for layer in self.ours():
            if hasattr(layer, name):
                setattr(layer, name, value)
        self.x = None  # what forward has kept is of the old number

    @rule(place=st.integers(0, 20), frozen=st.booleans())
    def freeze(self, place, frozen):
        part = self.model[place % len(self.model)]
        if isinstance(part, pynet.Module):
            assert (part.freeze() if frozen else part.unfreeze()) is part
        else:
            part.frozen = frozen

    @rule()
    def unfreeze_all(self):
        self.model.unfreeze()

    @rule(lr=st.floats(0, 0.05))
    def change_lr(self, lr):
        self.optimizer.lr = self.sgd.lr = lr

    # Steps

    @rule()
    def optimizer_step(self):
        self.optimizer.step()
        self.step_of_numpy()

    @rule(rows=rows, seed=seeds)
    def compiled_step(self, rows, seed):
        x, y = numbers(seed, rows, WIDTH), numbers(seed + 1, rows, WIDTH)
        twin = copy.deepcopy(self.model)  # draws the same masks, module by module
        np.random.seed(seed % 1000)
        twin.forward(x)
        for layer, of in zip(self.numpy.layers, Sequential(twin).layers, strict=True):
            layer.of = of.of
        output = self.numpy.forward(x)
        self.backward_of_numpy(x, MSELoss().backward(output, y))
        np.random.seed(seed % 1000)
        loss = self.step(x, y, gradients=True)
        assert self.step.compiled == all(type(layer).__module__.startswith("pynet.") for layer in self.ours())
        np.testing.assert_allclose(loss, MSELoss().forward(output, y), rtol=1e-9)
        np.testing.assert_allclose(self.step.output, output, rtol=1e-9, atol=1e-11)
        self.step_of_numpy()
        self.point_at_the_model()
        self.x = None

    # Copies and states

    @rule()
    def go_on_with_a_copy(self):
        state = self.optimizer.state_dict()
        self.model = copy.deepcopy(self.model)
        self.optimizer = pynet.optim.SGD(self.model, self.optimizer.lr, self.optimizer.momentum)
        self.optimizer.load_state_dict(state)
        self.step = pynet.compile_step(self.model, self.criterion, self.optimizer)
        self.point_at_the_model()
        self.kept = self.x = None

    @rule()
    def keep_the_state(self):
        self.kept = self.model.state_dict(), copy.deepcopy(self.numpy), len(self.model)

    @precondition(lambda self: self.kept is not None and self.kept[2] == len(self.model))
    @rule()
    def load_the_state(self):
        state, mirrored, _ = self.kept
        self.model.load_state_dict(state)
        for mine, kept in zip(self.numpy.layers, mirrored.layers, strict=True):
            for array, value in zip(mine.arrays, kept.arrays, strict=True):
                array[...] = value
            if hasattr(mine, "mean"):
                mine.mean, mine.var, mine.count = kept.mean, kept.var, kept.count

    @rule()
    def zero_grad(self):
        self.model.zero_grad()
        for grad in self.numpy.all_grads():
            grad[...] = 0

    # What must raise and change nothing, as `agrees` then finds.

    @rule()
    def wrong_calls(self):
        for wrong in (np.ones((3, WIDTH + 1)), np.ones(WIDTH)):
            with pytest.raises(pynet.ShapeError):
                self.model.forward(wrong)
            with pytest.raises(pynet.ShapeError):
                self.step(wrong, np.ones((3, WIDTH)))
        with pytest.raises(TypeError):
            self.model.forward(np.full((3, WIDTH), "1"))
        with pytest.raises(pynet.ShapeError):
            self.model[0].backward(np.ones((3, WIDTH)), np.ones((2, WIDTH)))
        with pytest.raises(TypeError):
            self.model.append(pynet.ReLU)
        with pytest.raises(ValueError, match="itself"):
            self.model.append(pynet.Sequential(self.model))
        with pytest.raises(pynet.ShapeError):
            self.model[0].W = np.ones(3)
        with pytest.raises(ValueError, match="lr"):
            self.optimizer.lr = -1
        with pytest.raises(ValueError, match="missing"):
            self.model.load_state_dict({})

    def ours(self):
        """The layers of the model, in order."""
        return [layer.of for layer in Sequential(self.model).layers]

    def backward_of_numpy(self, x, grad, accumulate=False):
        """Backward; a frozen layer's gradients are those that it had."""
        before = [[array.copy() for array in layer.grads] for layer in self.numpy.layers]
        grad_input = self.numpy.backward(x, grad)
        for layer, kept in zip(self.numpy.layers, before, strict=True):
            if is_frozen(layer):
                layer.grads = kept
            elif accumulate:
                for total, part in zip(layer.grads, kept, strict=True):
                    total += part
        return grad_input

    def step_of_numpy(self):
        """A step of what is not frozen."""
        if self.sgd.velocity is None:
            self.sgd.velocity = [np.zeros_like(array) for array in self.numpy.all_arrays()]
        learns = [not is_frozen(layer) for layer in self.numpy.layers for _ in layer.arrays]
        sgd = SGD(self.sgd.lr, self.sgd.momentum)
        arrays, grads, sgd.velocity = (
            list(compress(values, learns))
            for values in (self.numpy.all_arrays(), self.numpy.all_grads(), self.sgd.velocity)
        )
        sgd.step(arrays, grads)

    def point_at_the_model(self):
        for layer, ours in zip(self.numpy.layers, self.ours(), strict=True):
            layer.of = ours

    @invariant()
    def agrees(self):
        for ours, mine in (
            (self.model.parameters(), self.numpy.all_arrays()),
            (self.model.grad_parameters(), self.numpy.all_grads()),
        ):
            for a, b in zip(ours, mine, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
        for ours, mine in zip(self.ours(), self.numpy.layers, strict=True):
            if isinstance(ours, pynet.BatchNorm):
                np.testing.assert_allclose(ours.running_mean, mine.mean, rtol=1e-7, atol=1e-9)
                np.testing.assert_allclose(ours.running_var, mine.var, rtol=1e-7, atol=1e-9)
                assert ours.num_batches_tracked == mine.count
        if self.x is not None:
            assert self.model.output is self.y
            np.testing.assert_allclose(self.y, self.expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("examples", [60, pytest.param(2000, marks=pytest.mark.thorough)])
def test_calls_in_any_order_do_what_numpy_does(examples):
    run_state_machine_as_test(PublicApi, settings=settled(examples, stateful_step_count=30))
