"""Clipping of gradients: the formulas in NumPy, whose arrays are written, and what is refused."""

import numpy as np
import pytest
from test_users_modules import NotebookLinear

import pynet
from pynet.optim import SGD, clip_grad_norm_, clip_grad_value_


def model(dtype=np.float64, scale=1.0):
    net = pynet.Sequential(pynet.Linear(4, 6, seed=1), pynet.BatchNorm(6), NotebookLinear(6, 2)).astype(dtype)
    random = np.random.default_rng(0)
    net.backward(random.normal(size=(5, 4)).astype(dtype), scale * random.normal(size=(5, 2)).astype(dtype))
    return net


def numbers(gradients):
    return np.concatenate([np.ravel(g) for g in gradients]).astype(np.float64)


def norm_of(values, order):
    return np.abs(values).max() if order == np.inf else np.sum(np.abs(values) ** order) ** (1 / order)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", [2, 1, 0.5, 3, np.inf])
@pytest.mark.parametrize("max_norm", [0, 0.01, 1.5, 1e6, np.inf])
def test_gradients_are_scaled_to_the_norm(max_norm, order, dtype):
    net = model(dtype)
    before = numbers(net.grad_parameters())
    norm = clip_grad_norm_(net, max_norm, order)
    assert type(norm) is float
    np.testing.assert_allclose(norm, norm_of(before, order), rtol=1e-12)
    scale = min(max_norm / (norm + 1e-6), 1)
    np.testing.assert_allclose(
        numbers(net.grad_parameters()), scale * before, rtol=1e-6 if dtype is np.float32 else 1e-13
    )
    assert {g.dtype for g in net.grad_parameters()} == {np.dtype(dtype)}


def test_a_tiny_norm_is_scaled_as_the_formula_says():
    layer = pynet.Linear(1, 1, bias=False)
    layer.grad_W[...] = 1e-6
    assert clip_grad_norm_(layer, 1e-6) == 1e-6
    np.testing.assert_allclose(layer.grad_W, 0.5e-6, rtol=1e-15)


@pytest.mark.parametrize("order", [2, 7, 100])
@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e30), (np.float64, 1e200), (np.float64, 1e-200)])
def test_norms_neither_overflow_nor_vanish(dtype, size, order):
    layer = pynet.Linear(4, 1, bias=False, dtype=dtype)
    layer.grad_W[...] = size
    np.testing.assert_allclose(
        clip_grad_norm_(layer, np.inf, order), layer.grad_W[0, 0] * 4.0 ** (1 / order), rtol=1e-6
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("limit", [0, 0.05, 0.3, 1e100, np.inf])
def test_every_number_is_brought_into_the_range(limit, dtype):
    net = model(dtype)
    before = numbers(net.grad_parameters())
    assert clip_grad_value_(net, limit) is None
    expected = np.minimum(np.maximum(before, -limit), limit)
    np.testing.assert_allclose(numbers(net.grad_parameters()), expected, rtol=1e-7)
    assert {g.dtype for g in net.grad_parameters()} == {np.dtype(dtype)}


@pytest.mark.parametrize("clip", [lambda net: clip_grad_norm_(net, 0.1), lambda net: clip_grad_value_(net, 0.1)])
def test_our_gradients_are_written_in_place_and_a_users_are_put_in_their_place(clip):
    net = model()
    ours, users = net[0].grad_W, net[2].grad_W
    kept = users.copy()
    clip(net)
    assert net[0].grad_W is ours
    assert net[2].grad_W is not users  # it may be somebody else's array too
    np.testing.assert_array_equal(users, kept)
    assert np.abs(numbers(net.grad_parameters())).max() <= 0.1
    before = net[0].W.copy()
    SGD(net, 1.0).step()
    np.testing.assert_allclose(before - net[0].W, net[0].grad_W)


def test_a_gradient_that_is_there_twice_is_scaled_once():
    layer = NotebookLinear(2, 2)
    layer.W = np.ones(2)
    layer.grad_W = layer.grad_b = np.full(2, 3.0)
    assert clip_grad_norm_(layer, 3) == pytest.approx(6)
    np.testing.assert_allclose([layer.grad_W, layer.grad_b], 1.5, rtol=1e-6)


def test_a_read_only_gradient_of_a_user_is_clipped_too():
    layer = NotebookLinear(2, 2)
    layer.grad_W, layer.grad_b = np.broadcast_to(2.0, (2, 2)), np.zeros(2)
    assert clip_grad_norm_(layer, 2) == 4
    np.testing.assert_allclose(layer.grad_W, 1, rtol=1e-6)


def test_gradients_that_do_not_exist_yet_count_nothing():
    assert clip_grad_norm_(pynet.Tanh(), 1) == 0
    assert clip_grad_norm_(NotebookLinear(2, 2), 1) == 0
    clip_grad_value_(NotebookLinear(2, 2), 1)
    net = pynet.Sequential(pynet.Linear(2, 2), NotebookLinear(2, 2))
    net[0].grad_b[...] = 3, 4
    assert clip_grad_norm_(net, 1) == pytest.approx(5)
    np.testing.assert_allclose(net[0].grad_b, [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("order", [1, 2, np.inf])
def test_a_norm_that_is_not_finite_is_handed_on(order):
    net = model()
    net[0].grad_W[0, 0] = np.inf
    assert clip_grad_norm_(net, 1, order) == np.inf
    assert np.isnan(net[0].grad_W[0, 0])
    assert not net[0].grad_W[1:].any()
    assert not net[2].grad_b.any()
    net = model()
    net[0].grad_W[0, :2] = np.nan, np.inf
    assert np.isnan(clip_grad_norm_(net, 1, order))
    assert np.isnan(numbers(net.grad_parameters())).all()


def test_nan_stays_nan_when_values_are_clipped():
    net = model()
    net[0].grad_W[0, :2] = np.nan, -np.inf
    clip_grad_value_(net, 0.01)
    assert np.isnan(net[0].grad_W[0, 0])
    assert net[0].grad_W[0, 1] == -0.01
    assert np.isnan(numbers(net.grad_parameters())).sum() == 1


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: clip_grad_norm_(m, -1), ValueError, "max_norm must be at least 0, got -1"),
        (lambda m: clip_grad_norm_(m, np.nan), ValueError, "max_norm must be at least 0, got nan"),
        (lambda m: clip_grad_norm_(m, "1"), TypeError, "max_norm must be a number, got '1'"),
        (lambda m: clip_grad_norm_(m, 1, 0), ValueError, "norm_type must be above 0, got 0"),
        (lambda m: clip_grad_norm_(m, 1, np.nan), ValueError, "norm_type must be above 0, got nan"),
        (lambda m: clip_grad_value_(m, -1), ValueError, "clip_value must be at least 0, got -1"),
        (lambda m: clip_grad_value_(m, np.nan), ValueError, "clip_value must be at least 0, got nan"),
        (lambda m: clip_grad_norm_(m.parameters(), 1), TypeError, r"got list: write clip_grad_norm_\(model"),
        (lambda m: clip_grad_value_(m.parameters(), 1), TypeError, r"got list: write clip_grad_value_\(model"),
        (lambda m: clip_grad_norm_(pynet.Linear, 1), TypeError, "model must be a module, got <class"),
    ],
)
def test_wrong_arguments_raise_and_change_no_gradient(call, error, text):
    net = model()
    before = numbers(net.grad_parameters())
    with pytest.raises(error, match=text):
        call(net)
    np.testing.assert_array_equal(numbers(net.grad_parameters()), before)
