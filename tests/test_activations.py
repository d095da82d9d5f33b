"""Activations beside what the table of modules says: far left, slopes that are learned, functions of one's own."""

import copy
import math
import pickle

import numpy as np
import pytest

import pynet


def cube(x):
    return x**3


def slope_of_cube(x):
    return 3 * x**2


@pytest.mark.parametrize(("x", "expected"), [(-5, -1.4332578586e-06), (-12, -2.13177945e-32), (-37, -2.12092e-298)])
def test_gelu_keeps_its_digits_far_to_the_left(x, expected):
    """By erfc's asymptotic series; 1 + erf would give 0."""
    y = pynet.GELU().forward([float(x)])[0]
    assert y == pytest.approx(expected, rel=1e-4)
    series = 1 - 1 / x**2 + 3 / x**4 - 15 / x**6 + 105 / x**8 - 945 / x**10
    assert y == pytest.approx(-math.exp(-x * x / 2) / math.sqrt(2 * math.pi) * series, rel=10395 / x**12 + 1e-12)


@pytest.mark.parametrize(
    ("layer", "x", "expected"),
    [
        (pynet.SiLU(), -100.0, -100 * math.exp(-100)),
        (pynet.Mish(), -100.0, -100 * math.exp(-100)),
        (pynet.Softplus(), -100.0, math.exp(-100)),
        (pynet.Softplus(beta=0.5), -100.0, 2 * math.exp(-50)),
        (pynet.LogSigmoid(), 100.0, -math.exp(-100)),
        (pynet.ELU(), -1e-20, -1e-20),
        (pynet.SELU(), -1e-20, -1.0507009873554805 * 1.6732632423543772e-20),
    ],
    ids=repr,
)
def test_tails_keep_their_digits(layer, x, expected):
    assert layer.forward([x])[0] == pytest.approx(expected, rel=2e-15)


def test_softplus_is_its_input_beyond_the_threshold_and_only_there():
    x = np.array([9.9, 10.0, 10.1])
    y = pynet.Softplus(beta=2, threshold=20).forward(x)
    assert (y == x).tolist() == [False, False, True]
    assert np.abs(y - x).max() < 2e-9


def test_a_changed_number_is_seen_by_the_next_call_and_by_a_compiled_one():
    layers = [pynet.ELU(), pynet.Softplus(), pynet.Hardtanh(), pynet.GELU()]
    model = pynet.Sequential(pynet.Linear(3, 4, seed=0), *layers)
    predict, x = pynet.compile_predict(model), np.random.default_rng(0).normal(size=(5, 3))
    before = [predict(x)]
    for layer, name, value in [(0, "alpha", 0.2), (1, "beta", 3.0), (1, "threshold", 0.1), (2, "min_val", 0.3)]:
        setattr(layers[layer], name, value)
        before.append(predict(x))
        np.testing.assert_allclose(before[-1], model.forward(x), rtol=1e-14)
        assert not np.array_equal(*before[-2:])
    layers[3].approximate = "tanh"
    assert not np.array_equal(predict(x), before[-1])
    assert predict.compiled


def test_hardtanhs_limits_stay_in_order():
    layer = pynet.Hardtanh(-2, 5)
    with pytest.raises(ValueError, match=r"min_val must be less than max_val, got 5\.0 and 5\.0"):
        layer.min_val = 5
    with pytest.raises(ValueError, match=r"got -2\.0 and -3\.0"):
        layer.max_val = -3
    assert (layer.min_val, layer.max_val, repr(layer)) == (-2.0, 5.0, "Hardtanh(min_val=-2.0, max_val=5.0)")


@pytest.mark.parametrize("num_parameters", [1, 3])
def test_prelus_gradients_overwrite_and_accumulate(num_parameters):
    layer, x = pynet.PReLU(num_parameters), -np.arange(1.0, 13).reshape(2, 3, 2)
    grad = layer.grad_weight
    for accumulate, times in [(False, 1), (True, 2), (True, 3), (False, 1)]:
        dx = layer.backward(x, np.ones_like(x), accumulate)
        expected = x.sum(axis=(0, 2)) if num_parameters == 3 else [x.sum()]
        np.testing.assert_array_equal(grad, times * np.asarray(expected))
        np.testing.assert_array_equal(dx, 0.25)
    assert layer.grad_weight is grad
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


def test_prelus_sum_in_float32_is_taken_in_double():
    layer = pynet.PReLU(dtype=np.float32)
    x = np.full(2**20, -0.1, np.float32)
    layer.backward(x, np.ones_like(x))
    assert layer.grad_weight[0] == np.float32(np.float64(np.float32(-0.1)) * 2**20)


def test_prelu_learns_its_slope():
    x = np.random.default_rng(0).normal(size=(200, 1))
    model = pynet.Sequential(pynet.Linear(1, 1, seed=0), pynet.PReLU(init=0))
    step = pynet.compile_step(model, pynet.MSELoss(), pynet.optim.Adam(model, 0.05))
    for _ in range(500):
        step(x, np.where(x > 0, 2 * x, -x))
    assert step.compiled
    assert step(x, np.where(x > 0, 2 * x, -x)) < 1e-3
    slopes = sorted([model[0].W[0, 0], model[0].W[0, 0] * model[1].weight[0]])
    np.testing.assert_allclose(slopes, [-1, 2], atol=0.05)


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("rows", [1, 5, 300])
@pytest.mark.parametrize("weights", [1, 400])
def test_prelu_predicts_compiled_as_in_evaluation(weights, rows, freeze):
    layers = [pynet.BatchNorm(400), pynet.PReLU(weights), pynet.GELU(), pynet.Linear(400, 5, seed=1)]
    model = pynet.Sequential(pynet.Linear(30, 400, seed=0), *layers).eval()
    x = np.random.default_rng(0).normal(size=(rows, 30))
    predict = pynet.compile_predict(model, freeze=freeze)
    np.testing.assert_allclose(predict(x), model.forward(x), rtol=1e-12, atol=1e-13)
    assert predict.compiled


def test_an_activation_of_ones_own_runs_module_by_module_and_the_step_says_so():
    model = pynet.Sequential(pynet.Linear(2, 3, seed=0), pynet.Activation(cube, slope_of_cube))
    step = pynet.compile_step(model, pynet.MSELoss(), pynet.optim.SGD(model, 0.1))
    step(np.ones((4, 2)), np.ones((4, 3)))
    assert not step.compiled
    assert step.reason == "layer 1, Activation(cube, slope_of_cube), has no compiled form"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_an_activation_is_copied_and_pickled_where_its_functions_can_be(again):
    layer, x = pynet.Activation(cube, slope_of_cube), np.array([[1.0, -2.0]])
    np.testing.assert_array_equal(again(layer).forward(x), cube(x))
    np.testing.assert_array_equal(again(layer).backward(x, x), 3 * x**3)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(pynet.Activation(lambda x: x, np.ones_like))


def test_what_an_activations_functions_return_is_checked():
    x = np.ones((4, 3), np.float32)
    assert pynet.Activation(lambda x: x.astype(np.float64), np.ones_like).forward(x).dtype == np.float32
    with pytest.raises(pynet.ShapeError, match=r"f returns an array of shape \(4,\), expected \(4, 3\) as input"):
        pynet.Activation(lambda x: x.sum(axis=1), np.ones_like).forward(x)
    with pytest.raises(pynet.ShapeError, match=r"df returns an array of shape \(\), expected \(4, 3\)"):
        pynet.Activation(np.sin, lambda x: 1.0).backward(x, x)
    with pytest.raises(TypeError, match="what f returns must be an array of"):
        pynet.Activation(lambda x: "text", np.ones_like).forward(x)
    with pytest.raises(TypeError, match="what f returns must be an array of"):
        pynet.Activation(lambda x: None, np.ones_like).forward(x)
