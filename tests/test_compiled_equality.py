"""Compiled steps compute what the loop over modules does."""

import copy

import numpy as np
import pytest
from compiled_steps import (
    DTYPES,
    assert_close,
    batch,
    compare,
    learning,
    loop_step,
    network,
    pair,
    same_bits,
    sgd,
    state,
)
from table import CRITERIA

import pynet

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
    lambda: pynet.ELU(0.5),
    pynet.SELU,
    pynet.GELU,
    lambda: pynet.GELU("tanh"),
    pynet.SiLU,
    pynet.Mish,
    lambda: pynet.Softplus(2.0, 1.5),
    pynet.Softsign,
    lambda: pynet.Hardtanh(-0.5, 1.5),
    pynet.ReLU6,
    pynet.Hardsigmoid,
    pynet.Hardswish,
    pynet.LogSigmoid,
    pynet.PReLU,
    lambda: pynet.PReLU(20),
    lambda: pynet.Sequential(pynet.ReLU(), pynet.PReLU(), pynet.BatchNorm(20), pynet.PReLU(20), pynet.PReLU()),
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
    lambda m: pynet.optim.NAdam(m, 0.01),
    lambda m: pynet.optim.NAdam(m, 0.01, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1, momentum_decay=0.1),
    lambda m: pynet.optim.RMSprop(m, 0.001, eps=1e-2),
    lambda m: pynet.optim.RMSprop(m, 0.001, alpha=0.9, eps=1e-2, weight_decay=0.1, momentum=0.9),
    lambda m: pynet.optim.RMSprop(m, 0.001, alpha=0.9, eps=1e-1, centered=True),
    lambda m: pynet.optim.RMSprop(m, 0.001, alpha=0.9, eps=1e-1, momentum=0.5, centered=True),
    lambda m: pynet.optim.Adagrad(m, 0.01, initial_accumulator_value=0.1),
    lambda m: pynet.optim.Adagrad(m, 0.01, 0.1, weight_decay=0.1, eps=1e-3),
    lambda m: pynet.optim.Adadelta(m, 0.5),
    lambda m: pynet.optim.Adadelta(m, 0.5, rho=0.5, eps=1e-3, weight_decay=0.1),
]


@pytest.mark.parametrize("rows", [1, 20, 140])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_every_optimizer_is_as_in_the_loop(make, dtype, rows):
    model = network(7, 40, 5, dtype=dtype)
    compare(model, pynet.CrossEntropyLoss(), make, lambda i: batch(rows, 7, 5, dtype, i), dtype)


@pytest.mark.parametrize("rows", [1, 20, 140])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weights", [1, 400])
@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.5}])
@pytest.mark.parametrize("make", [OPTIMIZERS[3], OPTIMIZERS[6]])
def test_learned_slopes_of_wide_layers_are_as_in_the_loop(make, options, weights, dtype, rows):
    """So wide that several parts work on them."""
    layers = [pynet.Linear(300, 400, seed=0), pynet.PReLU(weights), pynet.Linear(400, 5, seed=1)]
    model = pynet.Sequential(*layers).astype(dtype)
    compare(model, pynet.CrossEntropyLoss(), make, lambda i: batch(rows, 300, 5, dtype, i), dtype, steps=3, **options)


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
    criterion, model, x, y = learning(case, dtype)
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
            ((700, 800, 10), 100),
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
