"""Unflatten, Reshape, Columns and Embedding beside what holds for every module: views, padding, files, training."""

import copy

import numpy as np
import pytest
from table import SAVEABLE, name_of

import pynet

LEAVES = [case for case in SAVEABLE if case.make().is_leaf]


@pytest.mark.parametrize("case", LEAVES, ids=name_of)
def test_a_layers_repr_makes_it_again(case):
    layer = case.make()
    again = eval(repr(layer), {"slice": slice, "__builtins__": {}} | vars(pynet))
    assert type(again) is type(layer)
    assert repr(again) == repr(layer)


def test_reshaping_gives_a_view():
    x = np.arange(24.0).reshape(4, 6)
    for layer in (pynet.Unflatten(1, (2, -1)), pynet.Reshape(3, 2), pynet.Columns(slice(None))):
        assert np.shares_memory(layer.forward(x), x)
        assert layer.backward(x, layer.forward(x)).shape == x.shape


def test_unflatten_takes_flatten_back():
    x = np.random.default_rng(0).normal(size=(4, 2, 3, 5))
    model = pynet.Sequential(pynet.Flatten(1, 2), pynet.Unflatten(1, (2, 3)), pynet.Reshape(-1), pynet.Reshape(2, 3, 5))
    np.testing.assert_array_equal(model.forward(x), x)
    np.testing.assert_array_equal(model.backward(x, x), x)
    assert pynet.Reshape(2, -1).forward(np.ones((0, 6))).shape == (0, 2, 3)


def test_columns_that_are_not_there_are_refused():
    with pytest.raises(pynet.ShapeError, match=r"input has 3 columns, but no column -4 \(shape \(5, 3\)\)"):
        pynet.Columns([0, -4]).forward(np.ones((5, 3)))
    with pytest.raises(pynet.ShapeError, match="no column 3"):
        pynet.Columns([3]).backward(np.ones((5, 3)), np.ones((5, 1)))


def test_padding_learns_nothing_and_indices_may_be_floats_that_are_whole():
    layer = pynet.Embedding(4, 2, padding_idx=-1, seed=0)
    assert layer.padding_idx == 3
    assert not layer.weight[3].any()
    indices, grad = np.array([[0, 3], [3, 0]]), np.arange(8.0).reshape(2, 2, 2)
    np.testing.assert_array_equal(layer.forward(indices), layer.weight[indices])
    assert layer.backward(indices.astype(np.float32), grad).tolist() == [[0, 0], [0, 0]]
    assert layer.grad_weight.tolist() == [[6, 8], [0, 0], [0, 0], [0, 0]]
    layer.backward([0, 1], [[1, 1], [2, 2]], accumulate=True)
    assert layer.grad_weight.tolist() == [[7, 9], [2, 2], [0, 0], [0, 0]]
    for wrong, says in ((1.5, "has index 1.5 at"), (4, r"has index 4 at \(1, 0\), expected whole numbers from 0 to 3")):
        with pytest.raises(ValueError, match=says):
            layer.forward([[0], [wrong]])


def test_random_numbers_of_an_embedding_come_from_its_seed_or_numpys():
    np.random.seed(3)
    first = pynet.Embedding(4, 2).weight.copy()
    np.random.seed(3)
    np.testing.assert_array_equal(pynet.Embedding(4, 2).weight, first)
    np.testing.assert_array_equal(pynet.Embedding(4, 2, seed=1).weight, pynet.Embedding(4, 2, seed=1).weight)


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_files_keep_slices_and_padding(ending, tmp_path):
    codes = pynet.Sequential(pynet.Columns([0]), pynet.Embedding(5, 3, padding_idx=2), pynet.Flatten())
    model = pynet.Sequential(pynet.Parallel(codes, pynet.Columns(slice(1, None, 2)), merge="cat"), pynet.Linear(4, 1))
    path = tmp_path / f"model{ending}"
    pynet.save(model, path)
    loaded = pynet.load(path)
    assert repr(loaded) == repr(model)
    x = np.array([[1, 0.5, 3], [2, 1.5, 4]])
    np.testing.assert_array_equal(loaded.forward(x), model.forward(x))
    assert loaded[0][0][1].padding_idx == 2


def test_a_trainer_takes_integer_codes():
    random = np.random.default_rng(0)
    x, y = random.integers(0, 6, (300, 2)), random.integers(0, 2, 6)
    model = pynet.Sequential(pynet.Embedding(6, 4, seed=0), pynet.Flatten(), pynet.Linear(8, 2, seed=1))
    trainer = pynet.Trainer(model, pynet.CrossEntropyLoss(), pynet.optim.Adam(model, 0.05))
    trainer.fit(x, y[x[:, 0]], epochs=5)
    assert (model.eval().forward(x).argmax(axis=1) == y[x[:, 0]]).mean() == 1


@pytest.mark.parametrize(
    ("layer", "name", "value"),
    [
        (pynet.GroupNorm(2, 4), "num_groups", 0),
        (pynet.GroupNorm(2, 4), "num_channels", 8),
        (pynet.LayerNorm(4), "normalized_shape", (64,)),
        (pynet.RMSNorm(4), "normalized_shape", (64,)),
        (pynet.Embedding(5, 3), "num_embeddings", 6),
        (pynet.Embedding(5, 3), "embedding_dim", 6),
    ],
)
def test_sizes_that_arrays_are_made_for_stay(layer, name, value):
    before = getattr(layer, name)
    with pytest.raises(AttributeError, match=f"{name} of a {type(layer).__name__} cannot change, got .*: make another"):
        setattr(layer, name, value)
    setattr(layer, name, before)
    assert getattr(layer, name) == before
    assert getattr(copy.deepcopy(layer), name) == before


def test_padding_is_checked_when_it_is_assigned():
    layer = pynet.Embedding(5, 3)
    layer.padding_idx = -1
    assert layer.padding_idx == 4
    for wrong, error in ((5, ValueError), ("x", TypeError)):
        with pytest.raises(error, match="padding_idx"):
            layer.padding_idx = wrong
    assert layer.padding_idx == 4
