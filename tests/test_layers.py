"""What single layers promise beyond the table: values at the edges, hyper-parameters, statistics, masks."""

import copy

import numpy as np
import pytest

import pynet

inf, nan = np.inf, np.nan
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@each_dtype
def test_relu_selects_and_keeps_nan(dtype):
    x = np.array([-inf, -1, -0.0, 0, 1, inf, nan], dtype)
    np.testing.assert_array_equal(pynet.ReLU().forward(x), [0, 0, 0, 0, 1, inf, nan])
    np.testing.assert_array_equal(pynet.ReLU().backward(x, np.full(7, inf, dtype))[:6], [0, 0, 0, 0, inf, inf])


@each_dtype
@pytest.mark.parametrize("slope", [-2, 0, 0.5, 1, 2])
def test_leaky_relu_takes_any_finite_slope(dtype, slope):
    layer = pynet.LeakyReLU(slope)
    x = np.array([-3, 0, 2, nan], dtype)
    np.testing.assert_array_equal(layer.forward(x), [-3 * slope, 0, 2, nan])
    np.testing.assert_array_equal(layer.backward(x, np.ones(4, dtype))[:3], [slope, slope, 1])


@pytest.mark.parametrize("layer", [pynet.Sigmoid(), pynet.Tanh()])
@each_dtype
def test_saturation_is_exact_and_keeps_nan(layer, dtype):
    x = np.array([-inf, -1e4, 0, 1e4, inf, nan], dtype)
    low, middle = (0, 0.5) if isinstance(layer, pynet.Sigmoid) else (-1, 0)
    np.testing.assert_array_equal(layer.forward(x), [low, low, middle, 1, 1, nan])
    np.testing.assert_array_equal(layer.backward(x, np.ones(6, dtype))[[0, 1, 3, 4]], 0)


def test_derivatives_far_out_keep_their_digits():
    x = np.array([-18.0, 18.0])
    np.testing.assert_allclose(pynet.Tanh().backward(x, np.ones(2)), 4 * np.exp(-36.0), rtol=1e-12)
    np.testing.assert_allclose(pynet.Sigmoid().backward(2 * x, np.ones(2)), np.exp(-36.0), rtol=1e-12)


@each_dtype
def test_softmax_at_the_edges(dtype):
    layer = pynet.SoftMax()
    x = np.array([[-inf, 0, 0], [-inf, -inf, -inf], [inf, 0, 0], [1e8, 1e8, 1e8], [3e38, -3e38, -3e38]], dtype)
    expected = [[0, 0.5, 0.5], [nan] * 3, [nan] * 3, [dtype(1) / dtype(3)] * 3, [1, 0, 0]]
    np.testing.assert_array_equal(layer.forward(x), np.array(expected, dtype))
    gradient = layer.backward(x, np.ones((5, 3), dtype))
    np.testing.assert_array_equal(gradient[[0, 4]], np.zeros((2, 3)))
    one = layer.forward(np.array([[7.0], [-1e30]], dtype))
    np.testing.assert_array_equal(one, [[1], [1]])
    assert not layer.backward(one, one).any()
    assert layer.forward(np.zeros((3, 0), dtype)).shape == (3, 0)


@pytest.mark.parametrize("scale", [1, 30, 1e4])
def test_softmax_is_right_to_3_units_in_the_last_place_at_any_scale(scale):
    x = (np.random.normal(size=(200, 50)) * scale).astype(np.float32)
    e = np.exp(x.astype(np.longdouble) - x.max(axis=1, keepdims=True))
    expected = e / e.sum(axis=1, keepdims=True)
    got = pynet.SoftMax().forward(x)
    units = np.abs(got - expected) / np.spacing(np.maximum(expected, np.finfo(np.float32).tiny).astype(np.float32))
    assert units.max() <= 3


def test_log_softmax_of_a_certain_row_keeps_its_digits():
    got = pynet.LogSoftMax().forward(np.array([[0, 30]], np.float32))
    np.testing.assert_allclose(got, [[-30, -np.exp(-30.0)]], rtol=3e-7)


def test_dropout_keeps_the_expectation_and_its_share():
    layer = pynet.Dropout(0.3)
    x = np.ones((500, 400))
    y = layer.forward(x)
    assert layer.mask.dtype == bool
    np.testing.assert_array_equal(y, layer.mask / 0.7)
    # 200,000 draws: one standard deviation of the share is 0.001.
    assert abs(layer.mask.mean() - 0.7) < 0.005
    assert abs(np.corrcoef(layer.mask[:, :-1].ravel(), layer.mask[:, 1:].ravel())[0, 1]) < 0.01
    first = layer.mask.copy()
    layer.forward(x)
    assert abs(np.mean(first == layer.mask) - (0.7**2 + 0.3**2)) < 0.005


def test_dropout_draws_one_number_and_depends_on_nothing_else():
    np.random.seed(1)
    layer = pynet.Dropout(0.5)
    x = np.ones((300, 400))
    masks = []
    for threads in (1, 2, 3, 8):
        pynet.set_num_threads(threads)
        np.random.seed(1)
        layer.forward(np.asfortranarray(x) if threads == 2 else x)
        masks.append(layer.mask.copy())
    after = np.random.get_state()[2], np.random.get_state()[1].tobytes()
    np.random.seed(1)
    np.random.randint(0, 2**64, dtype=np.uint64)
    assert (np.random.get_state()[2], np.random.get_state()[1].tobytes()) == after
    assert all((mask == masks[0]).all() for mask in masks)
    layer.forward(np.ones(100))
    np.testing.assert_array_equal(layer.eval().forward(x), x)


def test_a_dropped_infinity_is_zero():
    layer = pynet.Dropout(0.5)
    assert set(layer.forward(np.full(100, inf))) == {0, inf}
    np.testing.assert_array_equal(pynet.Dropout(0.0).forward([inf, 1]), [inf, 1])


def test_seeds_of_ones_own_leave_numpys_state_alone():
    before = np.random.get_state()[1].tobytes()
    layers = [pynet.Dropout(0.5, seed=7) for _ in range(2)]
    for _ in range(3):
        a, b = (layer.forward(np.ones(100)) for layer in layers)
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(pynet.Linear(3, 2, seed=7).W, pynet.Linear(3, 2, seed=np.random.default_rng(7)).W)
    assert np.random.get_state()[1].tobytes() == before
    np.random.seed(3)
    W, b = np.random.uniform(-0.5, 0.5, (2, 4)), np.random.uniform(-0.5, 0.5, 2)
    np.random.seed(3)
    layer = pynet.Linear(4, 2)
    np.testing.assert_array_equal(layer.W, W)
    np.testing.assert_array_equal(layer.b, b)


def test_batch_norm_moves_its_statistics_in_training_alone():
    layer = pynet.BatchNorm(3, momentum=0.25)
    x = np.random.normal(2, 3, (10, 3, 4))
    for step in range(1, 4):
        mean, var = layer.running_mean.copy(), layer.running_var.copy()
        layer.forward(x)
        np.testing.assert_allclose(layer.running_mean, 0.75 * mean + 0.25 * x.mean(axis=(0, 2)))
        np.testing.assert_allclose(layer.running_var, 0.75 * var + 0.25 * x.var(axis=(0, 2), ddof=1))
        assert layer.num_batches_tracked == step
    layer.eval()
    before = copy.deepcopy(layer.state_dict())
    layer.forward(x)
    layer.backward(x, x)
    layer.train().backward(x, x)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_batch_norm_in_evaluation_takes_an_infinite_input():
    layer = pynet.BatchNorm(2).eval()
    gradient = layer.backward(np.array([[inf, 1], [2, 3]]), np.ones((2, 2)))
    np.testing.assert_allclose(gradient, np.full((2, 2), 1 / np.sqrt(1 + 1e-5)))


def test_batch_norm_of_numbers_far_from_zero_keeps_its_digits():
    noise = np.random.normal(size=(1000, 2))
    got = pynet.BatchNorm(2).forward(noise + 1e8)
    exact = noise + 1e8 - 1e8
    np.testing.assert_allclose(got, (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5), atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1), (0, 3)])
def test_batch_norm_refuses_one_value_per_channel_in_training(shape):
    layer = pynet.BatchNorm(3)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=r"BatchNorm\(3\): input has . value\(s\) per channel"):
        layer.forward(np.ones(shape))
    assert all((a == before[name]).all() for name, a in layer.state_dict().items())
    assert layer.eval().forward(np.ones(shape)).shape == shape


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (0, 0)])
def test_zero_features_work(sizes):
    layer = pynet.Linear(*sizes)
    x = np.ones((4, sizes[0]))
    y = layer.forward(x)
    np.testing.assert_array_equal(y, np.broadcast_to(layer.b, (4, sizes[1])))
    assert layer.backward(x, np.ones_like(y)).shape == x.shape
    np.testing.assert_array_equal(layer.grad_b, np.full(sizes[1], 4))
    assert np.isfinite(layer.b).all()


@pytest.mark.parametrize("sizes", [(1, 784, 128), (128, 784, 256), (300, 257, 129), (7, 3000, 5), (5000, 3, 2)])
@each_dtype
def test_large_products_equal_numpys_for_any_number_of_threads(sizes, dtype):
    rows, dim_in, dim_out = sizes
    layer = pynet.Linear(dim_in, dim_out, dtype=dtype)
    x, dy = np.random.normal(size=(rows, dim_in)).astype(dtype), np.random.normal(size=(rows, dim_out)).astype(dtype)
    results = []
    for threads in (1, 2, 3):
        pynet.set_num_threads(threads)
        results.append([layer.forward(x), layer.backward(x, dy), layer.grad_W.copy(), layer.grad_b.copy()])
    expected = [x @ layer.W.T + layer.b, dy @ layer.W, dy.T @ x, dy.sum(axis=0, dtype=np.float64)]
    for got, want in zip(results[0], expected, strict=True):
        np.testing.assert_allclose(
            got, want, rtol=0, atol=(2e-5 if dtype == np.float32 else 1e-13) * np.abs(want).max()
        )
    for other in results[1:]:
        assert all((a == b).all() for a, b in zip(other, results[0], strict=True))


BAD_ARGUMENTS = [
    (pynet.Linear, ("3", 2), TypeError, "dim_in must be an int, got '3'"),
    (pynet.Linear, (3, 2.0), TypeError, "dim_out must be an int"),
    (pynet.Linear, (True, 2), TypeError, "dim_in must be an int"),
    (pynet.Linear, (-1, 2), ValueError, "dim_in must be from 0"),
    (pynet.Linear, (2**40, 2), ValueError, "dim_in must be from 0"),
    (pynet.LeakyReLU, (nan,), ValueError, "slope must be finite"),
    (pynet.LeakyReLU, (inf,), ValueError, "slope must be finite"),
    (pynet.LeakyReLU, ("1",), TypeError, "slope must be a number"),
    (pynet.Dropout, (1.0,), ValueError, "p must be at least 0 and less than 1"),
    (pynet.Dropout, (-0.1,), ValueError, "p must be"),
    (pynet.Dropout, (nan,), ValueError, "p must be"),
    (pynet.Dropout, (np.zeros(2),), TypeError, "p must be a number"),
    (pynet.Dropout, (None,), TypeError, "p must be a number"),
    (pynet.BatchNorm, (3, -1e-5), ValueError, "eps"),
    (pynet.BatchNorm, (3, nan), ValueError, "eps"),
    (pynet.BatchNorm, (3, 1e-5, 1.5), ValueError, "momentum"),
    (pynet.BatchNorm, (2.5,), TypeError, "num_features"),
]


@pytest.mark.parametrize(("cls", "arguments", "error", "text"), BAD_ARGUMENTS)
def test_wrong_arguments_raise(cls, arguments, error, text):
    random = np.random.get_state()[1].tobytes()
    with pytest.raises(error, match=text):
        cls(*arguments)
    assert np.random.get_state()[1].tobytes() == random


def test_right_arguments_of_other_types_are_taken():
    assert pynet.Linear(np.int64(3), np.uint8(2)).W.shape == (2, 3)
    assert pynet.LeakyReLU(np.float32(0.5)).slope == 0.5
    for seed in ("7", 1.5, True, [1]):
        with pytest.raises(TypeError, match="seed"):
            pynet.Linear(2, 2, seed=seed)
    with pytest.raises(TypeError, match="float32 or float64"):
        pynet.Linear(2, 2, dtype=np.float16)


def test_hyper_parameters_are_checked_when_assigned():
    dropout, leaky = pynet.Dropout(), pynet.LeakyReLU()
    with pytest.raises(ValueError, match="p must be"):
        dropout.p = 1
    with pytest.raises(ValueError, match="slope must be"):
        leaky.slope = nan
    assert (dropout.p, leaky.slope) == (0.5, 0.03)
    leaky.slope = 0.5
    assert leaky.forward([-2])[0] == -1


def test_a_linear_tells_images_to_be_made_flat():
    layer = pynet.Linear(64, 3)
    with pytest.raises(pynet.ShapeError, match=r"\(5, 8, 8\)\); a Flatten\(\) before it makes \(5, 64\) of it$"):
        layer.forward(np.ones((5, 8, 8)))
    with pytest.raises(pynet.ShapeError, match=r"has 7 features, expected 64 \(shape \(5, 8, 7\)\)$"):
        layer.forward(np.ones((5, 8, 7)))
