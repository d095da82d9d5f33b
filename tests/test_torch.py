"""The same numbers as PyTorch: layers, criteria, optimizers, names of the state, and whole training runs."""

import inspect
from itertools import product

import numpy as np
import pytest
from compiled_steps import loop_step

import pynet

torch = pytest.importorskip("torch")
nn = torch.nn
torch.set_num_threads(1)  # its waiting threads spin: on a busy machine the tests took ten times as long

each_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
each_mode = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
ROUNDING = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-5}


def assert_same(got, want, scale=0.0, factor=1):
    """Equal up to rounding, which is measured by the array's largest number, or by larger ones that it came from."""
    want = want.detach().numpy()
    assert (np.shape(got), got.dtype) == (want.shape, want.dtype)
    tolerance = factor * ROUNDING.get(want.dtype, 0)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * np.abs(want).max(initial=scale))


def pair(ours, theirs, dtype):
    """The two modules, both with the same random parameters and statistics."""
    random = np.random.default_rng(0)
    theirs = theirs.to(getattr(torch, np.dtype(dtype).name))
    with torch.no_grad():
        for array in theirs.parameters():
            array.copy_(torch.tensor(random.normal(size=array.shape)))
        for name, array in theirs.named_buffers():
            if "running" in name:
                array.copy_(torch.tensor(random.uniform(0.5, 2, array.shape)))
    ours.astype(dtype).load_state_dict({name: array.numpy() for name, array in theirs.state_dict().items()})
    return ours, theirs


def row(ours, theirs, *shape):
    return pytest.param(ours, theirs, shape, id=f"{ours()!r}-{shape}")


LAYERS = [
    row(lambda: pynet.Linear(4, 3), lambda: nn.Linear(4, 3), 5, 4),
    row(lambda: pynet.Linear(4, 3), lambda: nn.Linear(4, 3), 5, 2, 4),
    row(lambda: pynet.Linear(4, 3), lambda: nn.Linear(4, 3), 2, 3, 2, 4),
    row(lambda: pynet.Linear(4, 3, bias=False), lambda: nn.Linear(4, 3, bias=False), 5, 4),
    row(lambda: pynet.Linear(4, 3, bias=False), lambda: nn.Linear(4, 3, bias=False), 5, 2, 4),
    row(lambda: pynet.Linear(300, 200), lambda: nn.Linear(300, 200), 100, 300),
    row(lambda: pynet.ReLU(), lambda: nn.ReLU(), 5, 4),
    row(lambda: pynet.LeakyReLU(0.03), lambda: nn.LeakyReLU(0.03), 2, 3, 4),
    row(lambda: pynet.LeakyReLU(-2.0), lambda: nn.LeakyReLU(-2.0), 5, 4),
    row(lambda: pynet.Sigmoid(), lambda: nn.Sigmoid(), 5, 4),
    row(lambda: pynet.Tanh(), lambda: nn.Tanh(), 5, 4),
    row(lambda: pynet.ELU(), lambda: nn.ELU(), 5, 4),
    row(lambda: pynet.ELU(-0.5), lambda: nn.ELU(-0.5), 5, 4),
    row(lambda: pynet.SELU(), lambda: nn.SELU(), 5, 4),
    row(lambda: pynet.GELU(), lambda: nn.GELU(), 5, 4),
    row(lambda: pynet.GELU("tanh"), lambda: nn.GELU("tanh"), 5, 4),
    row(lambda: pynet.SiLU(), lambda: nn.SiLU(), 5, 4),
    row(lambda: pynet.Mish(), lambda: nn.Mish(), 5, 4),
    row(lambda: pynet.Softplus(), lambda: nn.Softplus(), 5, 4),
    row(lambda: pynet.Softplus(2.0, 1.0), lambda: nn.Softplus(2.0, 1.0), 5, 4),
    row(lambda: pynet.Softsign(), lambda: nn.Softsign(), 5, 4),
    row(lambda: pynet.Hardtanh(), lambda: nn.Hardtanh(), 5, 4),
    row(lambda: pynet.Hardtanh(-2, 5), lambda: nn.Hardtanh(-2, 5), 5, 4),
    row(lambda: pynet.ReLU6(), lambda: nn.ReLU6(), 5, 4),
    row(lambda: pynet.Hardswish(), lambda: nn.Hardswish(), 5, 4),
    row(lambda: pynet.LogSigmoid(), lambda: nn.LogSigmoid(), 5, 4),
    row(lambda: pynet.PReLU(), lambda: nn.PReLU(), 5, 4),
    row(lambda: pynet.PReLU(3), lambda: nn.PReLU(3), 4, 3),
    row(lambda: pynet.PReLU(3), lambda: nn.PReLU(3), 4, 3, 5, 2),
    row(lambda: pynet.SoftMax(), lambda: nn.Softmax(dim=-1), 5, 4),
    row(lambda: pynet.SoftMax(), lambda: nn.Softmax(dim=-1), 2, 3, 50),
    row(lambda: pynet.LogSoftMax(), lambda: nn.LogSoftmax(dim=-1), 5, 4),
    row(lambda: pynet.LogSoftMax(), lambda: nn.LogSoftmax(dim=-1), 2, 3, 50),
    row(lambda: pynet.Dropout(0), lambda: nn.Dropout(0), 5, 4),
    row(lambda: pynet.BatchNorm(4), lambda: nn.BatchNorm1d(4), 5, 4),
    row(lambda: pynet.BatchNorm(4, affine=False), lambda: nn.BatchNorm1d(4, affine=False), 5, 4),
    row(lambda: pynet.BatchNorm(3, eps=0.1, momentum=0.3), lambda: nn.BatchNorm1d(3, eps=0.1, momentum=0.3), 4, 3, 6),
    row(lambda: pynet.BatchNorm(3), lambda: nn.BatchNorm2d(3), 4, 3, 5, 2),
    row(lambda: pynet.BatchNorm(3, affine=False), lambda: nn.BatchNorm2d(3, affine=False), 4, 3, 5, 2),
    row(lambda: pynet.BatchNorm(2), lambda: nn.BatchNorm3d(2), 4, 2, 3, 2, 2),
    row(lambda: pynet.LayerNorm(40), lambda: nn.LayerNorm(40), 5, 40),
    row(lambda: pynet.LayerNorm((3, 4), 0.1), lambda: nn.LayerNorm((3, 4), 0.1), 5, 2, 3, 4),
    row(lambda: pynet.LayerNorm(4, bias=False), lambda: nn.LayerNorm(4, bias=False), 5, 2, 4),
    row(lambda: pynet.LayerNorm(4, 1e-5, False), lambda: nn.LayerNorm(4, 1e-5, False), 5, 4),
    row(lambda: pynet.RMSNorm(40), lambda: nn.RMSNorm(40), 5, 40),
    row(lambda: pynet.RMSNorm((3, 4), 0.1), lambda: nn.RMSNorm((3, 4), 0.1), 5, 2, 3, 4),
    row(lambda: pynet.RMSNorm(4, None, False), lambda: nn.RMSNorm(4, None, False), 5, 4),
    row(lambda: pynet.GroupNorm(2, 6), lambda: nn.GroupNorm(2, 6), 5, 6),
    row(lambda: pynet.GroupNorm(1, 6), lambda: nn.GroupNorm(1, 6), 5, 6, 7),
    row(lambda: pynet.GroupNorm(3, 6, 0.1), lambda: nn.GroupNorm(3, 6, 0.1), 5, 6, 2, 3),
    row(lambda: pynet.GroupNorm(6, 6, affine=False), lambda: nn.GroupNorm(6, 6, affine=False), 5, 6, 2, 3),
    row(lambda: pynet.Unflatten(1, (2, -1)), lambda: nn.Unflatten(1, (2, -1)), 5, 6),
    row(lambda: pynet.Unflatten(-1, (2, 3)), lambda: nn.Unflatten(-1, (2, 3)), 5, 2, 6),
]


@each_dtype
@each_mode
@pytest.mark.parametrize(("ours", "theirs", "shape"), LAYERS)
def test_that_outputs_gradients_and_statistics_equal_pytorchs(ours, theirs, shape, training, dtype):
    ours, theirs = pair(ours(), theirs(), dtype)
    ours.train(training)
    theirs.train(training)
    random = np.random.default_rng(1)
    for scale in (0.1, 1, 30):
        x = (scale * random.normal(0.3, 1, shape)).astype(dtype)
        leaf = torch.tensor(x, requires_grad=True)
        output = theirs(leaf)
        grad = random.normal(size=output.shape).astype(dtype)
        theirs.zero_grad()
        output.backward(torch.tensor(grad))
        assert_same(ours.forward(x), output)
        assert_same(ours.backward(x, grad), leaf.grad, scale=1)  # of grad: a certain softmax leaves little of it
        for mine, their in zip(ours.grad_parameters(), theirs.parameters(), strict=True):
            assert_same(mine, their.grad)
    for mine, their in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        assert_same(mine, their)


KINKS = [-6.0, -3.0, -1.0, -0.0, 0.0, 1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 20.0, np.nextafter(20.0, 21)]
WITH_KINKS = ["ELU", "SELU", "LeakyReLU", "PReLU", "ReLU", "ReLU6", "Hardtanh", "Hardsigmoid", "Hardswish", "Softplus"]


@each_dtype
@pytest.mark.parametrize("name", WITH_KINKS)
def test_that_derivatives_at_kinks_are_pytorchs(name, dtype):
    theirs = getattr(nn, name)()
    if name == "LeakyReLU":
        theirs.negative_slope = 0.03
    ours, theirs = pair(getattr(pynet, name)(), theirs, dtype)
    x = np.array(KINKS, dtype)
    leaf = torch.tensor(x, requires_grad=True)
    theirs(leaf).sum().backward()
    assert_same(ours.backward(x, np.ones_like(x)), leaf.grad, factor=1e5 if name == "Hardsigmoid" else 1)


@each_dtype
def test_that_hardsigmoid_is_pytorchs_whose_sixth_is_of_float32(dtype):
    x, g = np.random.normal(0, 4, (2, 50, 40)).astype(dtype)
    leaf = torch.tensor(x, requires_grad=True)
    output = nn.Hardsigmoid()(leaf)
    output.backward(torch.tensor(g))
    assert_same(pynet.Hardsigmoid().forward(x), output)
    np.testing.assert_allclose(pynet.Hardsigmoid().backward(x, g), leaf.grad.numpy(), rtol=2e-7)


def test_that_activations_have_pytorchs_arguments_and_defaults():
    for name in sorted(set(WITH_KINKS) - {"LeakyReLU", "ReLU", "ReLU6", "Hardsigmoid", "Hardswish"} | {"GELU"}):
        ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (pynet, nn))
        left_out = {"inplace", "min_value", "max_value", "device", "dtype"}
        expected = {key: parameter.default for key, parameter in theirs.items() if key not in left_out}
        assert {key: parameter.default for key, parameter in ours.items() if key != "dtype"} == expected


@each_dtype
@pytest.mark.parametrize("padding", [None, 0, -2])
def test_that_embeddings_equal_pytorchs(padding, dtype):
    ours, theirs = pair(pynet.Embedding(7, 5, padding), nn.Embedding(7, 5, padding), dtype)
    indices = np.random.default_rng(1).integers(0, 7, (40, 3))
    output = theirs(torch.tensor(indices))
    grad = np.random.default_rng(2).normal(size=output.shape).astype(dtype)
    output.backward(torch.tensor(grad))
    for x in (indices, indices.astype(dtype)):
        assert_same(ours.forward(x), output)
        assert ours.backward(x, grad).dtype == dtype
        assert_same(ours.grad_weight, theirs.weight.grad)


def test_that_a_new_embeddings_numbers_are_those_of_pytorchs_distribution():
    ours, theirs = pynet.Embedding(300, 40, 5), nn.Embedding(300, 40, 5).weight.detach().numpy()
    assert not ours.weight[5].any()
    assert not theirs[5].any()
    for found in (ours.weight, theirs):
        assert abs(found.mean()) < 0.03
        assert abs(found.std() - 1) < 0.03


@each_dtype
def test_that_dropout_drops_and_scales_as_pytorch_does_with_that_mask(dtype):
    x = np.random.normal(size=(50, 40)).astype(dtype)
    layer, leaf = pynet.Dropout(0.3), torch.tensor(x, requires_grad=True)
    ours = layer.forward(x)
    theirs = leaf * torch.tensor(layer.mask) / (1 - 0.3)
    theirs.backward(leaf.detach())
    assert_same(ours, theirs)
    assert_same(layer.backward(x, x), leaf.grad)


def compare_criterion(ours, theirs, x, target, torch_target=None):
    """Loss and gradient; where there are many losses, that of their sum."""
    leaf = torch.tensor(x, requires_grad=True)
    loss = theirs(leaf, torch.tensor(target) if torch_target is None else torch_target)
    loss.sum().backward()
    assert_same(ours.forward(x, target), loss)
    assert_same(ours.backward(x, target), leaf.grad)


LABELS = np.array([0, 2, 1, 2, 2, 3])
SOME_IGNORED = np.array([0, -100, 1, 2, -100, 3])
SOFT = np.random.default_rng(2).dirichlet([1, 1, 1, 1], 6)
reductions = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


@each_dtype
@reductions
@pytest.mark.parametrize("shape", [(5,), (5, 4), (2, 3, 4)])
def test_that_mse_loss_equals_pytorchs(shape, reduction, dtype):
    x, target = np.random.normal(size=(2, *shape)).astype(dtype)
    compare_criterion(pynet.MSELoss(reduction), nn.MSELoss(reduction=reduction), x, target)


@each_dtype
@reductions
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weight", [None, np.array([0.5, 2, 1, 0])], ids=["", "weight"])
@pytest.mark.parametrize(
    ("target", "ignore_index"),
    [(LABELS, -100), (SOME_IGNORED, -100), (LABELS, 2), (SOFT, -100), (np.eye(4)[LABELS], -100)],
    ids=["labels", "some ignored", "ignore_index=2", "probabilities", "one-hot"],
)
def test_that_cross_entropy_loss_equals_pytorchs(target, ignore_index, weight, smoothing, reduction, dtype):
    target = target if target.ndim == 1 else target.astype(dtype)
    options = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": smoothing}
    theirs = nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight.astype(dtype)), **options)
    for scale in (1, 50):
        x = (scale * np.random.normal(size=(6, 4))).astype(dtype)
        compare_criterion(pynet.CrossEntropyLoss(weight, **options), theirs, x, target)


@each_dtype
@pytest.mark.parametrize("shape", [(5,), (5, 4), (2, 3, 4)])
def test_that_mse_equals_its_formula_under_autograd(shape, dtype):
    x, target = np.random.normal(size=(2, *shape)).astype(dtype)
    compare_criterion(pynet.MSE(), lambda p, t: ((p - t) ** 2).sum() / len(p), x, target)


@each_dtype
@pytest.mark.parametrize("target", [LABELS, np.eye(4)[LABELS], SOFT], ids=["labels", "one-hot", "probabilities"])
def test_that_cross_entropy_equals_its_formula_under_autograd(target, dtype):
    p = np.random.uniform(0.01, 0.99, (6, 4)).astype(dtype)
    rows = torch.tensor((np.eye(4)[target] if target.ndim == 1 else target).astype(dtype))
    compare_criterion(
        pynet.CrossEntropy(), lambda p, t: -(t * p.clamp(1e-9, 1 - 1e-9).log()).sum() / len(p), p, target, rows
    )


SGD = [
    ("SGD", {"momentum": momentum, "dampening": dampening, "weight_decay": decay, "nesterov": nesterov})
    for momentum, dampening, decay, nesterov in product((0, 0.9), (0, 0.3), (0, 0.1), (False, True))
    if not nesterov or (momentum and not dampening)
]
ADAM = [
    (name, options)
    for name, options in product(
        ("Adam", "AdamW"),
        (
            {},
            {"weight_decay": 0},
            {"weight_decay": 0.1},
            {"betas": (0.5, 0.9)},
            {"betas": (0.0, 0.0)},
            {"eps": 0.1, "weight_decay": 0.3, "betas": (0.8, 0.99)},
        ),
    )
]


OTHERS = [
    *[("NAdam", o) for o in ({}, {"weight_decay": 0.1}, {"betas": (0.5, 0.9)}, {"momentum_decay": 0.5, "eps": 0.1})],
    *[
        ("RMSprop", {"momentum": momentum, "centered": centered} | o)
        for momentum, centered in product((0, 0.9), (False, True))
        for o in ({}, {"alpha": 0.5, "weight_decay": 0.1}, {"eps": 0.1})
    ],
    *[("Adagrad", o) for o in ({}, {"lr_decay": 0.1, "weight_decay": 0.1}, {"initial_accumulator_value": 0.5})],
    ("Adagrad", {"eps": 0.1}),
    *[("Adadelta", o) for o in ({}, {"rho": 0.5, "weight_decay": 0.1}, {"eps": 0.1})],
]


@pytest.fixture
def doubles():
    """PyTorch keeps NAdam's product in its default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@each_dtype
@pytest.mark.parametrize(("name", "options"), OTHERS, ids=str)
def test_that_fifty_steps_of_an_optimizer_equal_pytorchs(name, options, dtype, doubles):
    ours, theirs = pair(
        pynet.Sequential(pynet.Linear(4, 3), pynet.Linear(3, 2)), nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)), dtype
    )
    mine = getattr(pynet.optim, name)(ours, lr=0.1, **options)
    their = getattr(torch.optim, name)(theirs.parameters(), lr=0.1, foreach=False, **options)
    random = np.random.default_rng(3)
    for step in range(50):
        if step == 25:
            mine.lr = their.param_groups[0]["lr"] = 0.03
        for gradient, parameter in zip(ours.grad_parameters(), theirs.parameters(), strict=True):
            gradient[...] = random.normal(size=gradient.shape)
            parameter.grad = torch.tensor(gradient)
        mine.step()
        their.step()
    for (key, array), parameter in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert_same(array, parameter, factor=10)  # rounding is handed on, and weight decay is a part of it
        for buffer, kept in mine.state_dict()["state"][key].items():
            if buffer != "step":
                assert_same(kept, their.state[parameter][buffer], factor=10)


@each_dtype
@pytest.mark.parametrize(("name", "options"), SGD + ADAM, ids=str)
def test_that_twenty_steps_of_an_optimizer_equal_pytorchs(name, options, dtype):
    ours, theirs = pair(
        pynet.Sequential(pynet.Linear(4, 3), pynet.Linear(3, 2)), nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)), dtype
    )
    mine = getattr(pynet.optim, name)(ours, lr=0.1, **options)
    their = getattr(torch.optim, name)(theirs.parameters(), lr=0.1, **options)
    for step in range(20):
        if step == 10:
            mine.lr = their.param_groups[0]["lr"] = 0.03
        for gradient, parameter in zip(ours.grad_parameters(), theirs.parameters(), strict=True):
            gradient[...] = np.random.normal(size=gradient.shape)
            parameter.grad = torch.tensor(gradient)
        mine.step()
        their.step()
    for (key, array), parameter in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert_same(array, parameter)
        for buffer, kept in mine.state_dict()["state"][key].items():
            if buffer != "step":
                assert_same(kept, their.state[parameter][buffer])


def nested(dtype=np.float64):
    return pair(
        pynet.Sequential(
            pynet.Linear(5, 8),
            pynet.LeakyReLU(0.1),
            pynet.BatchNorm(8),
            pynet.Sequential(pynet.Linear(8, 6, bias=False), pynet.Tanh(), pynet.BatchNorm(6, affine=False)),
            pynet.Linear(6, 3),
        ),
        nn.Sequential(
            nn.Linear(5, 8),
            nn.LeakyReLU(0.1),
            nn.BatchNorm1d(8),
            nn.Sequential(nn.Linear(8, 6, bias=False), nn.Tanh(), nn.BatchNorm1d(6, affine=False)),
            nn.Linear(6, 3),
        ),
        dtype,
    )


def test_that_names_and_order_of_the_state_are_pytorchs():
    ours, theirs = nested()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    assert [name for name, _ in ours.named_buffers()] == [name for name, _ in theirs.named_buffers()]


@each_dtype
@each_mode
def test_that_a_state_goes_from_pytorch_to_pynet_and_back(training, dtype):
    ours, theirs = nested(dtype)  # loads theirs into ours
    ours.train(training)
    theirs.train(training)
    x = np.random.normal(size=(7, 5)).astype(dtype)
    assert_same(ours.forward(x), theirs(torch.tensor(x)))
    _, fresh = nested(dtype)
    fresh.train(training).load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})
    assert_same(ours.forward(x), fresh(torch.tensor(x)))


def test_that_tensors_are_taken_as_arrays():
    ours, theirs = nested()
    x = torch.randn(7, 5, dtype=torch.float64)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    np.testing.assert_array_equal(ours.eval().forward(x), ours.forward(x.numpy()))
    ours.backward(x, torch.ones(7, 3, dtype=torch.float64))
    assert pynet.CrossEntropyLoss()(x, torch.arange(5).repeat(2)[:7]) > 0


@each_dtype
@pytest.mark.parametrize(("name", "options"), [("SGD", {"momentum": 0.9}), ("Adam", {}), ("AdamW", {})])
def test_that_a_network_learns_step_by_step_as_in_pytorch(name, options, dtype):
    ours, theirs = nested(dtype)
    mine = getattr(pynet.optim, name)(ours, lr=0.01, **options)
    their = getattr(torch.optim, name)(theirs.parameters(), lr=0.01, **options)
    criterion = pynet.CrossEntropyLoss()
    X, labels = np.random.normal(size=(20, 16, 5)).astype(dtype), np.random.randint(0, 3, (20, 16))
    for x, y in zip(X, labels, strict=True):
        loss = loop_step(ours, criterion, mine, x, y)
        their.zero_grad()
        expected = nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
        expected.backward()
        their.step()
        assert_same(loss, expected, factor=100)  # rounding is handed on from step to step
    assert_same(ours.eval().forward(X[0]), theirs.eval()(torch.tensor(X[0])), factor=100)


@each_dtype
def test_that_the_notebooks_softmax_and_cross_entropy_learn_as_pytorchs_cross_entropy(dtype):
    ours, theirs = nested(dtype)
    ours.append(pynet.SoftMax())
    criterion = pynet.CrossEntropy()
    x, y = np.random.normal(size=(16, 5)).astype(dtype), np.random.randint(0, 3, 16)
    for _ in range(20):
        p = ours.forward(x)
        loss = criterion.forward(p, pynet.data.one_hot(y, 3))
        ours.backward(x, criterion.backward(p, y))
        expected = nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
        theirs.zero_grad()
        expected.backward()
        with torch.no_grad():
            for array, gradient, parameter in zip(
                ours.parameters(), ours.grad_parameters(), theirs.parameters(), strict=True
            ):
                array -= 0.1 * gradient
                parameter -= 0.1 * parameter.grad
        assert_same(loss, expected, factor=100)
