"""Learning sample by sample: what a loop of batches of one computes."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import pynet

random = np.random.default_rng(0)
X = random.normal(size=(30, 4))
labels = random.integers(0, 3, 30)


def network(outputs, dtype=np.float64):
    layers = pynet.Linear(4, 8, seed=0), pynet.Tanh(), pynet.Dropout(0.2, seed=1), pynet.Linear(8, outputs, seed=2)
    return pynet.Sequential(*layers).astype(dtype)


def learner_of(model, criterion):
    return pynet.OnlineLearner(model, criterion, pynet.optim.Adam(model, 0.01))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("criterion", "outputs", "targets"),
    [
        (pynet.CrossEntropyLoss(), 3, labels.tolist()),
        (pynet.CrossEntropyLoss(), 3, list(labels)),
        (pynet.CrossEntropyLoss(), 3, list(np.eye(3)[labels])),
        (pynet.MSELoss(), 1, X[:, 0].tolist()),
        (pynet.MSELoss(), 2, list(X[:, :2])),
    ],
    ids=["int", "NumPy's int", "one-hot", "amount", "amounts"],
)
def test_that_every_sample_is_a_step_on_a_batch_of_one(criterion, outputs, targets, dtype):
    learner = learner_of(network(outputs, dtype), criterion)
    model = network(outputs, dtype)
    optimizer = pynet.optim.Adam(model, 0.01)
    assert learner.step.compiled
    for x, y in zip(X, targets, strict=True):
        tolerance = {"rtol": 1e-4 if dtype == np.float32 else 1e-10, "atol": 1e-6 if dtype == np.float32 else 1e-12}
        np.testing.assert_allclose(learner.predict_one(x), model.eval().forward(x[None])[0], **tolerance)
        output = model.train().forward(x[None])
        target = np.array([y]) if np.ndim(y) == 0 and outputs == 3 else np.reshape(y, (1, -1))
        loss = criterion.forward(output, target)
        model.backward(x[None], criterion.backward(output, target))
        optimizer.step()
        np.testing.assert_allclose(learner.learn_one(x, y), loss, **tolerance)
    for ours, theirs in zip(learner.step.model.parameters(), model.parameters(), strict=True):
        np.testing.assert_allclose(ours, theirs, **tolerance)


@pytest.mark.parametrize("x", [X[0].tolist(), X[0].astype(np.float32), X[::-1][29], np.array([1, 2, 3, 4])])
def test_that_samples_may_be_anything_that_is_an_array(x):
    learner = learner_of(network(3), pynet.CrossEntropyLoss())
    twin = network(3).eval()
    np.testing.assert_allclose(learner.predict_one(x), twin.forward(np.array(x, float)[None])[0], rtol=1e-12)
    assert np.isfinite(learner.learn_one(x, 1))


@pytest.mark.parametrize(
    ("x", "y", "error"),
    [
        (X[0, :3], 0, pynet.ShapeError),
        (X[:1], 0, ValueError),
        (X[0], 3, ValueError),
        (X[0], -1, ValueError),
        (X[0], [1.0, 0.0], ValueError),
        (["a", "b", "c", "d"], 0, TypeError),
        (X[0], "a", TypeError),
        (X[0] + 1j, 0, TypeError),
    ],
    ids=str,
)
def test_that_what_does_not_fit_moves_nothing(x, y, error):
    learner = learner_of(network(3), pynet.CrossEntropyLoss())
    before = learner.step.model.state_dict()
    with pytest.raises(error):
        learner.learn_one(x, y)
    after = learner.step.model.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_that_the_example_finds_its_way_again():
    found = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "online.py"))
    right, half = found["right"], found["half"]
    assert np.mean(right[half - 1000 : half]) > 0.9
    assert np.mean(right[half : half + 100]) < 0.6
    assert np.mean(right[-1000:]) > 0.9


@pytest.mark.parametrize("kind", [int, bool, np.int64, np.float32, np.bool_, np.uint8])
def test_that_whole_numbers_are_amounts_and_labels_too(kind):
    model = pynet.Sequential(pynet.Linear(3, 1, seed=0))
    learner, x = learner_of(model, pynet.BCEWithLogitsLoss()), np.array([1, 0, 1])
    steps = []
    learner.step._step_by_modules = lambda *arguments: steps.append(arguments)
    want = np.logaddexp(0, -model.forward(x[None].astype(float)))[0, 0]
    np.testing.assert_allclose(learner.learn_one(x.astype(kind), kind(1)), want, rtol=1e-6)
    assert not steps
    classifier = learner_of(pynet.Linear(3, 2, seed=0), pynet.CrossEntropyLoss())
    twin = learner_of(pynet.Linear(3, 2, seed=0), pynet.CrossEntropyLoss())
    if kind not in (np.float32, np.bool_):
        assert classifier.learn_one(x.astype(kind), kind(1)) == twin.learn_one(x.astype(float), 1)


def test_that_a_layer_of_ones_own_gets_whole_numbers_as_they_are():
    class Vectors(pynet.Module):
        def __init__(self):
            super().__init__()
            self.W = np.eye(3)

        def forward(self, input):
            return self.W[input[:, 0]]

        def backward(self, input, grad_output):
            return np.zeros(input.shape)

    model = pynet.Sequential(Vectors(), pynet.Linear(3, 2, seed=0))
    assert np.isfinite(learner_of(model, pynet.CrossEntropyLoss()).learn_one([2], 1))
