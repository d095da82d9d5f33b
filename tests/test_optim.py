"""The optimizers: their formulas in NumPy, their state, and what they refuse."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
from test_users_modules import NotebookLinear

import pynet
from pynet.optim import SGD, Adadelta, Adagrad, Adam, AdamW, NAdam, RMSprop


def sgd(p, g, state, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * p
    if momentum:
        state["v"] = momentum * state["v"] + (1 - dampening) * g if "v" in state else g
        g = g + momentum * state["v"] if nesterov else state["v"]
    return p - lr * g


def adam(p, g, state, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    t = state["t"] = state.get("t", 0) + 1
    if decoupled:
        p = p * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * p
    m = state["m"] = betas[0] * state.get("m", 0) + (1 - betas[0]) * g
    v = state["v"] = betas[1] * state.get("v", 0) + (1 - betas[1]) * g**2
    return p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)


def adamw(p, g, state, weight_decay=1e-2, **options):
    return adam(p, g, state, weight_decay=weight_decay, decoupled=True, **options)


def nadam(p, g, state, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3):
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    m = state["m"] = betas[0] * state.get("m", 0) + (1 - betas[0]) * g
    v = state["v"] = betas[1] * state.get("v", 0) + (1 - betas[1]) * g**2
    now, ahead = (betas[0] * (1 - 0.5 * 0.96 ** (i * momentum_decay)) for i in (t, t + 1))
    product = state["product"] = state.get("product", 1) * now
    step = (1 - now) / (1 - product) * g + ahead / (1 - product * ahead) * m
    return p - lr * step / (np.sqrt(v / (1 - betas[1] ** t)) + eps)


def rmsprop(p, g, state, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    g = g + weight_decay * p
    s = state["s"] = alpha * state.get("s", 0) + (1 - alpha) * g**2
    m = state["m"] = alpha * state.get("m", 0) + (1 - alpha) * g
    step = g / (np.sqrt(np.maximum(s - m**2, 0) if centered else s) + eps)
    if momentum:
        step = state["v"] = momentum * state.get("v", 0) + step
    return p - lr * step


def adagrad(p, g, state, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    t = state["t"] = state.get("t", 0) + 1
    g = g + weight_decay * p
    s = state["s"] = state.get("s", initial_accumulator_value) + g**2
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s) + eps)


def adadelta(p, g, state, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0):
    g = g + weight_decay * p
    v = state["v"] = rho * state.get("v", 0) + (1 - rho) * g**2
    step = g * np.sqrt(state.get("u", 0) + eps) / np.sqrt(v + eps)
    state["u"] = rho * state.get("u", 0) + (1 - rho) * step**2
    return p - lr * step


CASES = [
    (SGD, sgd, {}),
    (SGD, sgd, {"lr": 0.1, "weight_decay": 0.3}),
    (SGD, sgd, {"lr": 0.1, "momentum": 0.9}),
    (SGD, sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    (SGD, sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (Adam, adam, {}),
    (Adam, adam, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.3}),
    (AdamW, adamw, {}),
    (AdamW, adamw, {"lr": 0.1, "weight_decay": 0.3}),
    (NAdam, nadam, {}),
    (NAdam, nadam, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.3, "momentum_decay": 0.5}),
    (RMSprop, rmsprop, {}),
    (RMSprop, rmsprop, {"lr": 0.1, "alpha": 0.5, "eps": 1e-3, "weight_decay": 0.3}),
    (RMSprop, rmsprop, {"momentum": 0.9}),
    (RMSprop, rmsprop, {"eps": 1e-2, "centered": True}),
    (RMSprop, rmsprop, {"eps": 1e-2, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    (Adagrad, adagrad, {}),
    (Adagrad, adagrad, {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.3, "initial_accumulator_value": 0.5}),
    (Adadelta, adadelta, {}),
    (Adadelta, adadelta, {"lr": 0.5, "rho": 0.5, "eps": 1e-3, "weight_decay": 0.3}),
]
ALL = [SGD, Adam, AdamW, NAdam, RMSprop, Adagrad, Adadelta]
each_case = pytest.mark.parametrize(("cls", "reference", "options"), CASES)


def model():
    return pynet.Sequential(pynet.Linear(40, 300, seed=1), pynet.BatchNorm(300), NotebookLinear(300, 2))


def fill_gradients(net, step):
    random = np.random.default_rng(step)
    net.backward(random.normal(size=(3, 40)), random.normal(size=(3, 2)))


@each_case
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ten_steps_equal_numpy(cls, reference, options, dtype):
    net = model().astype(dtype)
    optimizer = cls(net, **options)
    expected, states = [p.astype(np.float64) for p in net.parameters()], [{} for _ in net.parameters()]
    for step in range(10):
        if step == 5:
            optimizer.lr = optimizer.lr / 2
            options = {**options, "lr": optimizer.lr}
        fill_gradients(net, step)
        expected = [
            reference(p, g.astype(np.float64), s, **options)
            for p, g, s in zip(expected, net.grad_parameters(), states, strict=True)
        ]
        optimizer.step()
        # Each step's gradient is taken where pynet is: rounding must not add up to another path.
        for p, e in zip(net.parameters(), expected, strict=True):
            np.testing.assert_allclose(
                p, e, rtol=2e-4 if dtype == np.float32 else 1e-9, atol=1e-5 if dtype == np.float32 else 1e-12
            )


@each_case
def test_parameters_keep_their_identity_and_state_round_trips(cls, reference, options):
    a, b = model(), model()
    b.load_state_dict(a.state_dict())
    before = a.parameters()
    first, second = cls(a, **options), cls(b)
    for step in range(3):
        fill_gradients(a, step)
        first.step()
    assert all(p is q for p, q in zip(a.parameters(), before, strict=True))
    b.load_state_dict(a.state_dict())
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    assert repr(second) == repr(first)
    for step in range(3):
        for net, optimizer in ((a, first), (b, second)):
            fill_gradients(net, step)
            optimizer.step()
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_array_equal(p, q)
    together = copy.deepcopy(second)
    assert together.model is not b
    fill_gradients(together.model, 9)
    together.step()


def test_assigned_arrays_and_new_layers_are_seen():
    net = pynet.Sequential(pynet.Linear(3, 3))
    optimizer = SGD(net, 0.1, momentum=0.9)
    x = np.ones((2, 3))
    for _ in range(2):
        net.backward(x, x)
        optimizer.step()
    net[0].W = np.zeros((3, 3))
    net.append(pynet.Linear(3, 3))
    net.backward(x, x)
    before = [p.copy() for p in net.parameters()]
    optimizer.step()
    assert all((p != b).any() for p, b in zip(net.parameters(), before, strict=True))
    net.astype(np.float32).backward(x, x)
    optimizer.step()
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}


def test_parameters_of_odd_layout_are_moved_in_place():
    class Odd(NotebookLinear):
        def __init__(self):
            super().__init__(3, 3)
            self.W = np.asfortranarray(np.ones((3, 3)))
            self.grad_W, self.grad_b = np.broadcast_to(2.0, (3, 3)), np.ones(6, np.float32)[::2]

    odd = Odd()
    W = odd.W
    SGD(odd, 0.5).step()
    assert odd.W is W
    np.testing.assert_array_equal(W, np.zeros((3, 3)))


def test_zero_grad_fills_with_zeros():
    net = model()
    fill_gradients(net, 0)
    SGD(net).zero_grad()
    assert not any(g.any() for g in net.grad_parameters())


def broken(change):
    layer = NotebookLinear(3, 2)
    layer.grad_W, layer.grad_b = np.ones((2, 3)), np.ones(2)
    change(layer)
    return layer


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda m: setattr(m, "grad_b", np.ones(3)), pynet.ShapeError, r"'1.b' has shape \(3,\), expected \(2,\)"),
        (lambda m: setattr(m, "b", np.ones(2, int)), TypeError, "'1.b' must be float32 or float64"),
        (lambda m: m.b.setflags(write=False), ValueError, "'1.b' is read-only"),
        (lambda m: setattr(m, "grad_b", np.ones(2) * 1j), TypeError, "gradient of '1.b'"),
    ],
)
def test_after_an_error_nothing_has_moved(change, error, text):
    net = pynet.Sequential(pynet.Linear(3, 3), broken(change))
    before = [p.copy() for p in net.parameters()]
    optimizer = Adam(net)
    with pytest.raises(error, match=text):
        optimizer.step()
    assert all((p == b).all() for p, b in zip(net.parameters(), before, strict=True))
    assert optimizer.state_dict()["state"] == {}


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"lr": -1}, ValueError),
        ({"lr": np.nan}, ValueError),
        ({"lr": "0.1"}, TypeError),
        ({"weight_decay": -1}, ValueError),
        ({"weight_decay": np.inf}, ValueError),
    ],
)
def test_wrong_options_raise(cls, options, error):
    with pytest.raises(error, match=next(iter(options))):
        cls(model(), **options)


@pytest.mark.parametrize(
    "make",
    [
        lambda m: SGD(m, momentum=-0.1),
        lambda m: SGD(m, nesterov=True),
        lambda m: SGD(m, momentum=0.9, dampening=0.1, nesterov=True),
        lambda m: Adam(m, betas=(0.9, 1.0)),
        lambda m: Adam(m, betas=(-0.1, 0.9)),
        lambda m: Adam(m, eps=-1e-8),
        lambda m: NAdam(m, betas=(0.9, 1.0)),
        lambda m: NAdam(m, momentum_decay=-1),
        lambda m: RMSprop(m, alpha=1.5),
        lambda m: RMSprop(m, momentum=-0.1),
        lambda m: Adagrad(m, lr_decay=-1),
        lambda m: Adagrad(m, initial_accumulator_value=np.nan),
        lambda m: Adadelta(m, rho=-0.1),
        lambda m: Adadelta(m, eps=np.inf),
    ],
)
def test_values_out_of_range_raise(make):
    with pytest.raises(ValueError, match=r"momentum|nesterov|betas|eps|alpha|lr_decay|initial_accumulator_value|rho"):
        make(model())


def test_wrong_kinds_raise():
    with pytest.raises(TypeError, match="model must be a module"):
        SGD(model().parameters())
    with pytest.raises(TypeError, match="betas must be two numbers"):
        Adam(model(), betas=0.9)
    optimizer = SGD(model(), 0.1)
    with pytest.raises(ValueError, match="lr"):
        optimizer.lr = -1
    assert optimizer.lr == 0.1


def test_a_wrong_state_changes_nothing():
    net = model()
    optimizer = Adam(net, 0.1)
    fill_gradients(net, 0)
    optimizer.step()
    good = optimizer.state_dict()
    spoil = [
        lambda s: s.pop("lr"),
        lambda s: s.update(lr=-1),
        lambda s: s.update(other=1),
        lambda s: s["state"].update(other={}),
        lambda s: s["state"]["0.bias"].pop("step"),
        lambda s: s["state"]["0.bias"].update(step=-1),
        lambda s: s["state"]["0.bias"].update(other=np.ones(2)),
        lambda s: s["state"]["0.bias"].update(exp_avg=np.ones(2)),
    ]
    for change in spoil:
        state = copy.deepcopy(good) | {"eps": 0.5}
        change(state)
        with pytest.raises(ValueError, match=r"state|lr|exp_avg|step"):
            optimizer.load_state_dict(state)
        assert optimizer.eps == 1e-8
        np.testing.assert_equal(optimizer.state_dict(), good)


def test_a_layer_put_in_front_does_not_inherit_anothers_state():
    net = pynet.Sequential(pynet.Linear(3, 3))
    optimizer = SGD(net, 0.1, momentum=0.9)
    net.backward(np.ones((2, 3)), np.ones((2, 3)))
    optimizer.step()
    velocity = optimizer.state_dict()["state"]["0.weight"]["momentum_buffer"]
    net.layers.insert(0, pynet.Linear(3, 3))
    net.zero_grad()
    before = net[0].W.copy()
    optimizer.step()
    np.testing.assert_array_equal(net[0].W, before)
    np.testing.assert_allclose(optimizer.state_dict()["state"]["1.weight"]["momentum_buffer"], 0.9 * velocity)
    net.layers.pop(0)
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())


def test_options_are_checked_when_assigned():
    sgd_, adam_ = SGD(model(), momentum=0.5), Adam(model())
    for owner, name, value in (
        (sgd_, "momentum", np.nan),
        (sgd_, "weight_decay", -1),
        (adam_, "betas", (2.0, 2.0)),
        (adam_, "eps", -1.0),
        (adam_, "weight_decay", np.nan),
        (adam_, "lr", 10**400),
    ):
        before = getattr(owner, name)
        with pytest.raises(ValueError, match=name):
            setattr(owner, name, value)
        assert getattr(owner, name) == before


def test_momentum_may_begin_late():
    net = model()
    optimizer = SGD(net, 0.1)
    fill_gradients(net, 0)
    optimizer.step()
    optimizer.momentum = 0.9
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.step()
    assert "momentum_buffer" in optimizer.state_dict()["state"]["0.weight"]


def test_what_rmsprop_keeps_late_leaves_the_rest_as_it_is():
    net = model()
    optimizer = RMSprop(net, 0.1)
    fill_gradients(net, 0)
    optimizer.step()
    before = optimizer.state_dict()["state"]["0.weight"]["square_avg"]
    optimizer.momentum = 0.9
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.alpha = 1
    optimizer.step()
    after = optimizer.state_dict()["state"]["0.weight"]
    assert sorted(after) == ["momentum_buffer", "square_avg", "step"]
    np.testing.assert_array_equal(after["square_avg"], before)


def test_adagrads_sums_and_nadams_products_begin_anew_with_another_shape():
    for make, name, start in ((partial(Adagrad, initial_accumulator_value=0.5), "sum", 0.5), (NAdam, "mu_product", 1)):
        net = pynet.Sequential(pynet.Linear(3, 2))
        optimizer = make(net)
        for _ in range(2):
            net.backward(np.ones((2, 3)), np.ones((2, 2)))
            optimizer.step()
        net.layers[0] = pynet.Linear(2, 2)
        net.zero_grad()
        optimizer.step()
        kept = optimizer.state_dict()["state"]["0.weight"]
        assert kept["step"] == 1
        first = start if name == "sum" else 0.9 * (1 - 0.5 * 0.96**0.004)
        np.testing.assert_allclose(kept[name], np.full(np.shape(kept[name]), first), rtol=1e-15)


def test_a_number_of_nadams_is_one_number():
    net = model()
    optimizer = NAdam(net)
    fill_gradients(net, 0)
    optimizer.step()
    state = optimizer.state_dict()
    state["state"]["0.weight"]["mu_product"] = np.ones((300, 40))
    with pytest.raises(pynet.ShapeError, match=r"mu_product of '0.weight' has shape \(300, 40\), expected \(\)"):
        optimizer.load_state_dict(state)


@pytest.mark.parametrize("cls", ALL)
def test_a_gradient_of_nan_or_inf_reaches_its_own_parameter_alone(cls):
    net = pynet.Sequential(pynet.Linear(3, 1, bias=False))
    optimizer = cls(net)
    net[0].grad_W[...] = [np.nan, np.inf, 1]
    optimizer.step()
    moved = net[0].W[0]
    assert np.isnan(moved[0])
    # As in PyTorch: SGD goes all the way; whoever divides by the root of the square has inf / inf.
    assert moved[1] == -np.inf if cls is SGD else np.isnan(moved[1])
    assert np.isfinite(moved[2])


def test_a_gradient_that_no_backward_writes_is_named():
    class Typo(NotebookLinear):
        def grad_parameters(self):
            return [self.grad_w, self.grad_b]

    net = pynet.Sequential(pynet.Linear(3, 3), Typo(3, 2))
    net.backward(np.ones((2, 3)), np.ones((2, 2)))
    before = net[0].W.copy()
    with pytest.raises(pynet.StateError, match=r"'1\.W' has no gradient.*grad_parameters\(\) of Typo"):
        SGD(net).step()
    np.testing.assert_array_equal(net[0].W, before)


def test_an_odd_parameter_made_read_only_stops_the_step_before_it_moves():
    odd = NotebookLinear(3, 3)
    odd.W = np.asfortranarray(np.ones((3, 3)))
    net = pynet.Sequential(pynet.Linear(3, 3), odd)
    optimizer = SGD(net, 0.1)
    net.backward(np.ones((2, 3)), np.ones((2, 3)))
    optimizer.step()
    before = net[0].W.copy()
    odd.W.flags.writeable = False
    with pytest.raises(ValueError, match=r"'1\.W' is read-only"):
        optimizer.step()
    np.testing.assert_array_equal(net[0].W, before)


def test_tied_arrays_keep_their_own_momentum_when_the_model_changes():
    def run(change):
        a, b = pynet.Linear(3, 3, seed=1), pynet.Linear(3, 3, seed=2)
        b.W = a.W
        net = pynet.Sequential(a, pynet.Tanh(), b)
        optimizer = SGD(net, 0.1, momentum=0.9)
        for step in range(4):
            if step == 2:
                net, optimizer = change(net, optimizer)
            net.backward(np.ones((2, 3)), np.ones((2, 3)))
            optimizer.step()
        return net[0].W

    expected = run(lambda *both: both)
    np.testing.assert_array_equal(run(lambda *both: copy.deepcopy(both)), expected)
    np.testing.assert_array_equal(run(lambda net, optimizer: (net.append(pynet.Dropout().eval()), optimizer)), expected)


def test_part_of_a_state_is_refused():
    net = model()
    optimizer = Adam(net)
    fill_gradients(net, 0)
    optimizer.step()
    state = optimizer.state_dict()
    del state["state"]["0.bias"]["exp_avg"]
    with pytest.raises(ValueError, match="exp_avg"):
        optimizer.load_state_dict(state)
