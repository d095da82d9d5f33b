"""Norms, Residual, Parallel and Unflatten in compiled steps and predictions; and what keeps others from it."""

import copy

import numpy as np
import pytest
from compiled_steps import DTYPES, assert_close, batch, compare, same_bits, sgd, state, tolerance

import pynet
from pynet import protocol

L = pynet.Linear


def residual_first():
    return pynet.Sequential(pynet.Residual(L(8, 8), pynet.ReLU(), L(8, 8)), L(8, 3))


def residual_between_relu_and_dropout():
    # Dropout works in place: what the ReLU before it gave has to stay for the sum, and for the ReLU's own gradient.
    body = pynet.Residual(pynet.Dropout(0.3), L(8, 8), pynet.ReLU())
    return pynet.Sequential(L(8, 8), pynet.ReLU(), body, pynet.ReLU(), L(8, 3))


def residuals_inside_each_other():
    inner = pynet.Residual(L(6, 4), pynet.LayerNorm(4), pynet.Tanh(), L(4, 6))
    outer = pynet.Residual(inner, pynet.Residual(pynet.Sigmoid()))
    return pynet.Sequential(L(8, 6), pynet.BatchNorm(6), pynet.ReLU(), outer, L(6, 3))


def norms():
    body = [pynet.LayerNorm(8), L(8, 6), pynet.RMSNorm(6), pynet.ReLU()]
    return pynet.Sequential(*body, L(6, 3), pynet.LayerNorm(3, bias=False))


def groups():
    body = pynet.Residual(pynet.GroupNorm(3, 60), pynet.ReLU(), L(60, 60))
    return pynet.Sequential(L(8, 60), pynet.GroupNorm(3, 60, affine=False), body, L(60, 3), pynet.SoftMax(), L(3, 3))


def without_parameters_in_them():
    head = pynet.Residual(pynet.RMSNorm(3, eps=0.1, elementwise_affine=False), pynet.SoftMax())
    unfolded = [pynet.LayerNorm(6, elementwise_affine=False), pynet.Unflatten(-1, (2, -1)), pynet.Flatten()]
    return pynet.Sequential(pynet.Residual(), L(8, 6), *unfolded, pynet.Reshape(-1), L(6, 3), head)


def norms_of_several_axes():
    """Of both last ones, of the last, and of channels."""
    folded = [pynet.Unflatten(1, (4, 3)), pynet.LayerNorm((4, 3)), pynet.Tanh(), pynet.RMSNorm(3)]
    channels = [pynet.Residual(pynet.GroupNorm(2, 4), pynet.Dropout(0.2)), pynet.Reshape(2, 3, 2)]
    return pynet.Sequential(
        L(8, 12), *folded, *channels, pynet.Flatten(2), pynet.LayerNorm(6), pynet.Flatten(), L(12, 3)
    )


def branches_first():
    """Of which one changes its copy of the input, one is nothing, and one has one number only."""
    changing = pynet.Sequential(pynet.Dropout(0.3), pynet.Tanh(), L(8, 5), pynet.ReLU())
    return pynet.Sequential(pynet.Parallel(changing, pynet.Identity(), L(8, 1), merge="cat"), L(14, 3))


def branches_added():
    branches = [pynet.Sequential(L(6, 4), pynet.ReLU(), L(4, 6)), pynet.LayerNorm(6), pynet.Sequential(), L(6, 6)]
    return pynet.Sequential(L(8, 6), pynet.BatchNorm(6), pynet.ReLU(), pynet.Parallel(*branches), L(6, 3))


def branches_inside_each_other():
    inner = pynet.Parallel(L(6, 2), pynet.Residual(pynet.Sigmoid(), L(6, 6)), merge="cat")
    outer = pynet.Parallel(pynet.Sequential(pynet.ReLU(), inner, pynet.ReLU()), pynet.SoftMax(), L(6, 1), merge="cat")
    return pynet.Sequential(
        pynet.Tanh(), L(8, 6), pynet.ReLU(), outer, pynet.Residual(pynet.Parallel(L(15, 15))), L(15, 3)
    )


def branches_last():
    return pynet.Sequential(L(8, 8), pynet.Parallel(L(8, 3), pynet.Sequential(pynet.Columns([0, -1, 0]), pynet.SELU())))


def branches_alone():
    return pynet.Parallel(L(8, 3), pynet.Sequential(L(8, 5), pynet.ReLU(), L(5, 3)))


def wide_branches():
    """Wide enough for several threads, by columns; what is before it does not learn."""
    branches = [pynet.Sequential(L(300, 700), pynet.Tanh(), L(700, 300)), pynet.Sequential(pynet.ReLU(), L(300, 300))]
    return pynet.Sequential(L(8, 300).freeze(), pynet.Parallel(*branches), pynet.RMSNorm(300), L(300, 3))


def wide():
    body = pynet.Residual(pynet.LayerNorm(300), L(300, 700), pynet.Tanh(), L(700, 300))
    return pynet.Sequential(pynet.Tanh(), L(8, 300), body, pynet.RMSNorm(300), L(300, 3))


def wide_by_rows():
    """Nothing in it needs all rows at once, so that these are divided."""
    norm = pynet.LayerNorm(300, elementwise_affine=False)
    return pynet.Sequential(L(8, 300), norm, pynet.Residual(pynet.Tanh(), L(300, 300), pynet.ReLU()), L(300, 3))


NETWORKS = [
    residual_first,
    residual_between_relu_and_dropout,
    residuals_inside_each_other,
    norms,
    groups,
    without_parameters_in_them,
    norms_of_several_axes,
    branches_first,
    branches_added,
    branches_inside_each_other,
    branches_last,
    branches_alone,
]
each_network = pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)


def seeded(model):
    """Draws its masks from seeds of its own, so that a copy draws the same."""
    for _, part in protocol.modules(model):
        if isinstance(part, pynet.Dropout):
            part.__init__(part.p, seed=7)
    return model


@each_network
@each_dtype
@pytest.mark.parametrize("rows", [2, 9, 140, 500])
@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.1}], ids=["", "clipped"])
def test_a_compiled_step_computes_what_the_modules_do(make, dtype, rows, options):
    model = seeded(make()).astype(dtype)
    compare(model, pynet.CrossEntropyLoss(), sgd, lambda i: batch(rows, 8, 3, dtype, i), dtype, 5, **options)


@pytest.mark.parametrize("make", [wide, wide_by_rows, wide_branches])
def test_a_wide_one_does_so_on_several_threads_and_to_the_same_bits(make):
    found = []
    for threads in (1, 2):
        pynet.set_num_threads(threads)
        np.random.seed(0)
        step = compare(make(), pynet.CrossEntropyLoss(), sgd, lambda i: batch(700, 8, 3, seed=i), np.float64, 3)
        found.append(state(step.model, step.optimizer))
    assert same_bits(*found)


@each_network
def test_one_row_alone(make):
    model = seeded(make())
    for _, part in protocol.modules(model):
        if isinstance(part, pynet.BatchNorm):
            part.eval()
    compare(model, pynet.CrossEntropyLoss(), sgd, lambda i: batch(1, 8, 3, seed=i), np.float64, 3)


def test_a_norm_learns_without_anybody_else():
    model = pynet.Sequential(pynet.LayerNorm(8), pynet.Tanh())
    for rows in (1, 5, 200):
        compare(model, pynet.CrossEntropyLoss(), sgd, lambda i, rows=rows: batch(rows, 8, 8, seed=i), np.float64, 3)


@each_network
def test_gradients_are_left_if_they_are_wanted(make):
    model = seeded(make())
    twin = copy.deepcopy(model)
    criterion = pynet.CrossEntropyLoss()
    step = pynet.compile_step(twin, criterion, sgd(twin))
    x, y = batch(20, 8, 3)
    step(x, y, gradients=True)
    model.backward(x, criterion.backward(model.forward(x), y))
    for got, want in zip(twin.grad_parameters(), model.grad_parameters(), strict=True):
        np.testing.assert_allclose(got, want, **tolerance(np.float64))


@each_network
@pytest.mark.parametrize("rows", [1, 5, 300])
@pytest.mark.parametrize("freeze", [False, True])
def test_predictions_are_those_of_evaluation(make, rows, freeze):
    model = make()
    model.forward(np.random.default_rng(0).normal(size=(9, 8)))  # moves statistics
    x = np.random.default_rng(1).normal(size=(rows, 8))
    predict = pynet.compile_predict(model, freeze=freeze)
    assert predict.compiled, predict.reason
    kept = x.copy()
    np.testing.assert_allclose(predict(x), model.eval().forward(x), **tolerance(np.float64))
    np.testing.assert_array_equal(x, kept)


def test_what_is_assigned_or_appended_counts_from_the_next_step_on():
    model = pynet.Sequential(L(8, 8), pynet.Residual(pynet.LayerNorm(8)), L(8, 3))
    twin = copy.deepcopy(model)
    optimizer, own = sgd(model), sgd(twin)
    step, criterion = pynet.compile_step(twin, pynet.CrossEntropyLoss(), own), pynet.CrossEntropyLoss()
    x, y = batch(20, 8, 3)
    step(x, y)
    for change in (
        lambda m: setattr(m[1][0], "eps", 0.5),
        lambda m: setattr(m[1][0], "weight", np.linspace(0, 2, 8)),
        lambda m: m[1].append(pynet.Tanh()),
    ):
        change(twin)
        model.load_state_dict(twin.state_dict())
        if len(twin[1]) > len(model[1]):
            model[1].append(pynet.Tanh())
        model[1][0].eps = twin[1][0].eps
        loss = criterion.forward(model.forward(x), y)
        np.testing.assert_allclose(step(x, y), loss, rtol=1e-12)
        assert step.compiled
    assert_close({"x": optimizer.lr}, {"x": own.lr}, np.float64)


def frozen_sets(model):
    """Each part with parameters alone, all but it, and some pairs."""
    parts = [part for _, part in protocol.modules(model) if list(protocol.own(part))]
    yield from ([part] for part in parts)
    yield from ([other for other in parts if other is not part] for part in parts)
    yield from (parts[first::3] for first in range(3))


@pytest.mark.parametrize("make", [branches_first, branches_added, branches_inside_each_other, branches_last])
@pytest.mark.parametrize("rows", [1, 20, 140])
def test_what_is_frozen_in_and_around_branches_stays(make, rows):
    for number in range(len(list(frozen_sets(make())))):
        model = seeded(make())
        for part in list(frozen_sets(model))[number]:
            part.freeze()
        if rows == 1:
            [part.eval() for _, part in protocol.modules(model) if isinstance(part, pynet.BatchNorm)]
        compare(model, pynet.CrossEntropyLoss(), sgd, lambda i: batch(rows, 8, 3, seed=i), np.float64, 3)


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([pynet.LayerNorm((2, 4)), pynet.Flatten(), L(8, 2)], "a norm of the last 2 axes"),
        ([L(8, 6), pynet.LayerNorm((2, 3)), L(6, 2)], "a norm of (2, 3) gets rows of shape (6,)"),
        ([L(8, 6), pynet.Unflatten(1, (2, 3)), pynet.GroupNorm(3, 3)], "a norm of 3 channels"),
        ([L(8, 6), pynet.Unflatten(1, (2, 3)), L(3, 2)], "mixes features gets rows of shape (2, 3)"),
        ([L(8, 6), pynet.Unflatten(1, (2, 3)), pynet.SoftMax(), pynet.Flatten()], "mixes features"),
        ([L(8, 6), pynet.Reshape(2, 3)], "gives more axes than two"),
        ([L(8, 6), pynet.Unflatten(1, (2, 3)), pynet.Flatten(0)], "Flatten of the axes"),
        ([L(8, 6), pynet.Unflatten(1, (2, 2)), pynet.Flatten(), L(4, 2)], "do not make axes of (2, 2)"),
        ([L(8, 6), pynet.Unflatten(2, (2, 3)), pynet.Flatten(), L(6, 2)], "have no axis 2"),
        ([L(8, 8), pynet.Parallel()], "a Parallel has no layers"),
        ([pynet.Parallel(L(8, 6), L(8, 5))], "give rows of shapes [(6,), (5,)]"),
        ([pynet.Parallel(L(8, 6), L(5, 6))], "a layer gives 8 features where 5 are expected"),
        ([pynet.Parallel(*[pynet.Unflatten(1, (2, 4))] * 2, merge="cat"), L(8, 2)], "stands twice"),
        ([L(8, 3), pynet.Columns([0, 3]), L(2, 3)], "a layer gets 3 columns, which are not all of [0, 3]"),
        ([L(8, 3), pynet.Columns([])], "a layer has no features"),
        ([pynet.Residual(L(8, 6)), L(6, 3)], "make rows of shape (6,) of (8,)"),
        ([L(8, 8), pynet.Residual(L(8, 6), pynet.Reshape(2, 3))], "Residual make"),
    ],
)
def test_what_is_not_compiled_says_why(layers, reason):
    model = pynet.Sequential(*layers)
    step = pynet.compile_step(model, pynet.MSELoss(), sgd(model))
    assert not step.compiled
    assert reason in step.reason


def test_what_is_nested_too_deeply_to_be_described_says_so():
    model = L(3, 3)
    for _ in range(300):
        model = pynet.Parallel(model)
    step = pynet.compile_step(model, pynet.MSELoss(), sgd(model))
    assert step.reason == "the model's containers are nested too deeply"
    assert pynet.compile_predict(model).reason == step.reason
