"""Models of PyTorch become pynet's and go back, with the same outputs and gradients."""

import copy

import numpy as np
import pytest

import pynet
from pynet.torch_conversion.counterparts import COUNTERPARTS

torch = pytest.importorskip("torch")
nn = torch.nn
torch.set_num_threads(1)

LAYERS = [
    (nn.Linear(4, 3), (5, 4)),
    (nn.Linear(4, 3, bias=False), (5, 2, 4)),
    (nn.ReLU(inplace=True), (5, 4)),
    (nn.LeakyReLU(0.2), (5, 4)),
    (nn.Sigmoid(), (5, 4)),
    (nn.Tanh(), (5, 4)),
    (nn.Softmax(dim=-1), (5, 4)),
    (nn.LogSoftmax(dim=-1), (5, 4)),
    (nn.Dropout(0.3).eval(), (5, 4)),
    (nn.Flatten(), (5, 2, 3)),
    (nn.Flatten(0, 1), (5, 2, 3)),
    (nn.Identity(), (5, 4)),
    (nn.Unflatten(1, (2, 3)), (5, 6)),
    (nn.LayerNorm(4), (5, 4)),
    (nn.LayerNorm((3, 4), eps=0.1, bias=False), (5, 3, 4)),
    (nn.LayerNorm(4, elementwise_affine=False), (5, 4)),
    (nn.RMSNorm(4), (5, 4)),
    (nn.RMSNorm(4, eps=0.1, elementwise_affine=False), (5, 4)),
    (nn.GroupNorm(2, 4), (5, 4, 3)),
    (nn.GroupNorm(2, 4, eps=0.1, affine=False), (5, 4)),
    (nn.ELU(0.5), (5, 4)),
    (nn.SELU(), (5, 4)),
    (nn.GELU(), (5, 4)),
    (nn.GELU(approximate="tanh"), (5, 4)),
    (nn.SiLU(), (5, 4)),
    (nn.Mish(), (5, 4)),
    (nn.Softplus(2.0, 10.0), (5, 4)),
    (nn.Softsign(), (5, 4)),
    (nn.Hardtanh(-0.5, 0.7), (5, 4)),
    (nn.ReLU6(), (5, 4)),
    (nn.Hardsigmoid(), (5, 4)),
    (nn.Hardswish(), (5, 4)),
    (nn.LogSigmoid(), (5, 4)),
    (nn.PReLU(), (5, 4)),
    (nn.PReLU(4, 0.1), (5, 4, 2)),
    (nn.BatchNorm1d(4, eps=1e-3, momentum=0.3), (5, 4)),
    (nn.BatchNorm1d(4, affine=False), (5, 4, 2)),
    (nn.BatchNorm2d(3).eval(), (5, 3, 2, 2)),
    (nn.BatchNorm3d(3), (5, 3, 2, 1, 2)),
    (nn.Sequential(), (5, 4)),
    (nn.Sequential(nn.Linear(4, 6), nn.Sequential(nn.BatchNorm1d(6), nn.Tanh()), nn.Linear(6, 2)), (5, 4)),
]
CLASS_WEIGHTS = torch.tensor([1.0, 0.5, 2.0, 1.5])
CRITERIA = [
    (nn.MSELoss(), "amounts"),
    (nn.MSELoss(reduction="sum"), "amounts"),
    (nn.L1Loss(), "amounts"),
    (nn.SmoothL1Loss(beta=0.3), "amounts"),
    (nn.HuberLoss(delta=0.3), "amounts"),
    (nn.BCELoss(), "amounts"),
    (nn.BCEWithLogitsLoss(pos_weight=CLASS_WEIGHTS), "amounts"),
    (nn.KLDivLoss(reduction="batchmean"), "amounts"),
    (nn.PoissonNLLLoss(full=True, eps=1e-6), "amounts"),
    (nn.NLLLoss(CLASS_WEIGHTS, ignore_index=1), "labels"),
    (nn.CrossEntropyLoss(), "labels"),
    (
        nn.CrossEntropyLoss(CLASS_WEIGHTS, ignore_index=1, reduction="sum", label_smoothing=0.1),
        "labels",
    ),
]
TARGETS = {"amounts": np.random.default_rng(2).uniform(0.1, 0.9, (5, 4)), "labels": np.array([0, 3, 1, 2, 0])}


def filled(module, dtype):
    """A copy with numbers that no constructor gives."""
    module = copy.deepcopy(module).to(dtype)
    random = np.random.default_rng(0)
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            tensor.data.copy_(torch.tensor(random.uniform(0.5, 1.5, tuple(tensor.shape))))
    return module


def assert_the_same(ours, theirs, shape, dtype):
    """The same mode, outputs and gradients."""
    assert ours.training == theirs.training
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)
    input = torch.tensor(x, requires_grad=True)
    output = theirs(input.clone())  # one in place may not write into what has a gradient
    # A sixth, of which PyTorch's Hardsigmoid makes its gradient, is in float32 there.
    single = dtype == "float32" or isinstance(theirs, nn.Hardsigmoid)
    close = {"rtol": 1e-5, "atol": 1e-5} if single else {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(ours(x), output.detach().numpy(), **close)
    output.backward(torch.ones_like(output))
    np.testing.assert_allclose(ours.backward(x, np.ones(output.shape, dtype)), input.grad.numpy(), **close)
    for got, want in zip(ours.grad_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(got, want.grad.numpy(), **close)
    theirs.zero_grad(set_to_none=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("module", "shape"), LAYERS, ids=str)
def test_a_module_goes_to_pynet_and_back(module, shape, dtype):
    theirs = filled(module, getattr(torch, dtype))
    ours = pynet.from_torch(theirs)
    assert {parameter.dtype for parameter in ours.parameters()} <= {np.dtype(dtype)}
    again = pynet.to_torch(ours)
    with torch.no_grad():
        assert theirs.state_dict().keys() == again.state_dict().keys()
    assert_the_same(ours, copy.deepcopy(theirs), shape, dtype)
    if len(shape) <= 3:  # of more axes there, a BatchNorm is another class
        assert_the_same(pynet.from_torch(theirs), again, shape, dtype)


@pytest.mark.parametrize(("criterion", "target"), CRITERIA, ids=str)
def test_a_criterion_goes_to_pynet_and_back(criterion, target):
    scores, y = np.random.default_rng(1).uniform(0.1, 0.9, (5, 4)).astype(np.float32), TARGETS[target]
    y = y if y.dtype.kind == "i" else y.astype(np.float32)
    want = criterion(torch.tensor(scores), torch.tensor(y)).numpy()
    ours = pynet.from_torch(criterion)
    np.testing.assert_allclose(ours(scores, y), want, rtol=1e-5)
    np.testing.assert_allclose(pynet.to_torch(ours)(torch.tensor(scores), torch.tensor(y)).numpy(), want, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_weight_of_positive_targets_goes_there_and_back(dtype):
    scores, y = np.random.default_rng(1).uniform(0.1, 0.9, (2, 5, 4)).astype(dtype)
    want = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(0.1, dtype=torch.float64))
    ours = pynet.from_torch(want)
    assert ours.pos_weight == 0.1
    for theirs in (want, pynet.to_torch(ours), pynet.to_torch(pynet.BCEWithLogitsLoss(pos_weight=0.1))):
        loss = theirs(torch.tensor(scores), torch.tensor(y)).numpy()
        assert loss.dtype == dtype
        np.testing.assert_allclose(ours(scores, y), loss, rtol=1e-6 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_of_classes_are_of_the_dtype_that_models_made_beside_them_have(dtype):
    pynet.set_default_dtype(dtype)
    ours, criterion = pynet.Linear(4, 2), pynet.CrossEntropyLoss(weight=[3.0, 1.0])
    x, y = np.random.default_rng(1).normal(size=(5, 4)).astype(dtype), np.array([0, 1, 1, 0, 1])
    loss = pynet.to_torch(criterion)(pynet.to_torch(ours)(torch.tensor(x)), torch.tensor(y))
    np.testing.assert_allclose(criterion(ours(x), y), loss.detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("padding", [None, 2])
def test_an_embedding_goes_to_pynet_and_back(padding):
    theirs = nn.Embedding(5, 3, padding_idx=padding)
    ours, at = pynet.from_torch(theirs), np.array([[0, 2], [4, 2]])
    again = pynet.to_torch(ours)
    assert (ours.padding_idx, again.padding_idx) == (padding, padding)
    for module in (theirs, again):
        np.testing.assert_array_equal(ours(at), module(torch.tensor(at)).detach().numpy())


def test_all_layers_and_criteria_have_been_tried_that_have_counterparts():
    tried = {type(module).__name__ for module, _ in LAYERS + CRITERIA} | {"Embedding"}
    assert {row.theirs for row in COUNTERPARTS} <= tried


def test_what_is_converted_is_a_copy():
    theirs = nn.Sequential(nn.Linear(2, 2))
    ours = pynet.from_torch(theirs)
    ours[0].W[...] = 7
    assert not np.any(theirs[0].weight.detach().numpy() == 7)
    back = pynet.to_torch(ours)
    ours[0].W[...] = 8
    assert np.all(back[0].weight.detach().numpy() == 7)


def test_a_layer_that_stands_twice_does_so_afterwards():
    layer = nn.Linear(3, 3)
    ours = pynet.from_torch(nn.Sequential(layer, nn.ReLU(), layer))
    assert ours[0] is ours[2]
    back = pynet.to_torch(ours)
    assert back[0] is back[2]


@pytest.mark.parametrize("places", [[], [0], [1], [0, 2]], ids=str)
def test_what_is_frozen_stays_so(places):
    theirs = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()), nn.PReLU())
    for place in places:
        theirs[place].requires_grad_(False)
    ours = pynet.from_torch(theirs)
    assert [layer.frozen for layer in (ours[0], ours[1][0], ours[1][1], ours[2])] == [
        0 in places,
        1 in places,
        False,
        2 in places,
    ]
    back = pynet.to_torch(ours)
    assert [p.requires_grad for p in back.parameters()] == [p.requires_grad for p in theirs.parameters()]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_short_floats_become_float32(dtype):
    theirs = nn.Linear(3, 2).to(dtype)
    ours = pynet.from_torch(theirs)
    assert ours.W.dtype == np.float32
    np.testing.assert_array_equal(ours.W, theirs.weight.detach().float().numpy())


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x


def half_frozen():
    """A layer whose bias alone stays as it is."""
    linear = nn.Linear(2, 2)
    linear.bias.requires_grad_(False)
    return linear


def without_bias(norm):
    """What newer PyTorch makes of bias=False."""
    norm.bias = None
    return norm


class OurDoubled(pynet.Module):
    def forward(self, input):
        return 2 * input

    def backward(self, input, grad_output):
        return 2 * grad_output


@pytest.mark.parametrize(
    ("module", "error", "says"),
    [
        (nn.Sequential(nn.Sequential(nn.ReLU(), Doubled())), TypeError, "Doubled at '0.1' has no counterpart in pynet"),
        (nn.Conv2d(1, 2, 3), TypeError, r"Conv2d has no counterpart.*others=\{Conv2d: function\}"),
        (nn.Softmax(dim=1), ValueError, "Softmax has dim=1, and SoftMax is as dim=-1"),
        (nn.Sequential(nn.BatchNorm1d(3, track_running_stats=False)), ValueError, "BatchNorm1d at '0' has track_"),
        (
            nn.Sequential(nn.BatchNorm1d(3, momentum=None)),
            ValueError,
            "BatchNorm1d at '0' cannot become a BatchNorm: momentum must be a number, got None",
        ),
        (nn.Dropout(1.0), ValueError, "Dropout cannot become a Dropout: p must be at least 0 and less than 1, got 1.0"),
        (
            nn.Sequential(without_bias(nn.BatchNorm1d(3))),
            ValueError,
            "BatchNorm1d at '0' has bias=None, and BatchNorm has all of weight, bias or none",
        ),
        (without_bias(nn.GroupNorm(1, 3)), ValueError, "GroupNorm has bias=None, and GroupNorm has all of"),
        (
            nn.Sequential(half_frozen()),
            ValueError,
            "Linear at '0' has requires_grad={'weight': True, 'bias': False}, and a layer of pynet is frozen as",
        ),
        (nn.Embedding(3, 2, max_norm=1.0), ValueError, "Embedding has max_norm=1.0"),
        (nn.BCELoss(weight=torch.ones(3)), ValueError, "BCELoss has weight="),
        (pynet.Linear(2, 2), TypeError, "module must be a torch.nn.Module, got Linear"),
        (nn.Linear, TypeError, "module must be a torch.nn.Module, got type"),
        (None, TypeError, "got NoneType"),
    ],
)
def test_what_cannot_become_pynets_is_refused_with_its_place(module, error, says):
    with pytest.raises(error, match=says):
        pynet.from_torch(module)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (pynet.Sequential(pynet.Sequential(OurDoubled())), "OurDoubled at '0.0' has no counterpart in torch.nn"),
        (pynet.MSE(), "MSE has no counterpart"),
        (nn.ReLU, "model must be a module or a criterion, got type"),
        (3, "got int"),
    ],
)
def test_what_cannot_become_pytorchs_is_refused_with_its_place(model, says):
    with pytest.raises(TypeError, match=says):
        pynet.to_torch(model)


def test_a_function_of_ones_own_converts_what_has_no_counterpart():
    theirs = nn.Sequential(nn.Linear(3, 2), Doubled())
    ours = pynet.from_torch(theirs, others={Doubled: lambda module: OurDoubled()})
    x = np.ones((1, 3), np.float32)
    np.testing.assert_allclose(ours(x), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-6)
    back = pynet.to_torch(ours, others={OurDoubled: lambda module: Doubled()})
    np.testing.assert_allclose(ours(x), back(torch.tensor(x)).detach().numpy(), rtol=1e-6)
