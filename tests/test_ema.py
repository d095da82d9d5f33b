"""EMA: the formula in NumPy, buffers, swapping in place, state, and what it refuses."""

import copy
import pickle

import numpy as np
import pytest
from test_users_modules import NotebookLinear

import pynet
from pynet.optim import EMA, SGD

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def model(dtype=np.float64):
    return pynet.Sequential(pynet.Linear(4, 6, seed=1), pynet.BatchNorm(6), NotebookLinear(6, 2)).astype(dtype)


def arrays(net):
    return dict(net.named_parameters() + net.named_buffers())


def train(net, optimizer):
    x = np.random.normal(size=(5, 4))
    net.forward(x)
    net.backward(x, np.random.normal(size=(5, 2)))
    optimizer.step()


def trained(steps=3, dtype=np.float64, **options):
    net = model(dtype)
    ema, optimizer = EMA(net, **options), SGD(net, 0.5)
    for _ in range(steps):
        train(net, optimizer)
        ema.update()
    return net, ema


@both_dtypes
@pytest.mark.parametrize("decay", [0, 0.3, 0.999, 1])
def test_averages_equal_the_formula(decay, dtype):
    net = model(dtype)
    ema, optimizer = EMA(net, decay), SGD(net, 0.5)
    expected = {}
    for step in range(10):
        train(net, optimizer)
        ema.update()
        for name, array in arrays(net).items():
            floating = step and array.dtype.kind == "f"
            expected[name] = decay * expected[name] + (1 - decay) * array if floating else array.copy()
    assert ema.num_updates == 10
    averages = ema.state_dict()["averages"]
    assert list(averages) == list(arrays(net))
    for name, array in arrays(net).items():
        np.testing.assert_allclose(
            averages[name], expected[name], rtol=1e-12 if dtype is np.float64 else 1e-5, atol=1e-7
        )
        assert averages[name].dtype == array.dtype
    assert averages["1.num_batches_tracked"] == 10


def test_the_default_decay_is_pytorchs():
    assert EMA(model()).decay == 0.999
    assert repr(EMA(model(), 0.5)) == "EMA(decay=0.5)"


def test_two_updates_by_hand():
    layer = pynet.Linear(1, 1, bias=False)
    ema = EMA(layer, 0.75)
    for W in (8, 4, 0):
        layer.W[...] = W
        ema.update()
    with ema.averaged():
        assert layer.W == 0.75 * (0.75 * 8 + 0.25 * 4)
    assert layer.W == 0


@both_dtypes
def test_swap_exchanges_contents_in_place_and_twice_gives_them_back(dtype):
    net, ema = trained(decay=0.5, dtype=dtype)
    objects, own = arrays(net), net.state_dict()
    averages = ema.state_dict()["averages"]
    for expected in (averages, own, averages, own):
        ema.swap()
        assert ema.swapped is (expected is averages)
        for name, array in arrays(net).items():
            assert array is objects[name]
            np.testing.assert_array_equal(array, expected[name])
    np.testing.assert_equal(ema.state_dict()["averages"], averages)
    assert not np.array_equal(own["0.weight"], averages["0.weight"])


def test_a_block_has_the_averages_and_an_error_gives_back_what_was():
    net, ema = trained(decay=0.5)
    own, averages = net.state_dict(), ema.state_dict()["averages"]
    with ema.averaged() as inside:
        assert inside is net
        np.testing.assert_array_equal(net[0].W, averages["0.weight"])
    np.testing.assert_equal(net.state_dict(), own)
    with pytest.raises(ZeroDivisionError), ema.averaged():
        raise ZeroDivisionError
    np.testing.assert_equal(net.state_dict(), own)
    assert not ema.swapped


def test_arrays_that_layers_share_are_averaged_and_swapped_once():
    a, b = pynet.Linear(3, 3), pynet.Linear(3, 3)
    b.W = a.W
    net = pynet.Sequential(a, b)
    ema = EMA(net, 0.5)
    ema.update()
    own = a.W.copy()
    a.W += 1
    ema.update()
    with ema.averaged():
        np.testing.assert_allclose(a.W, own + 0.5)
    np.testing.assert_array_equal(a.W, own + 1)


def test_averages_follow_the_dtype():
    net, ema = trained(decay=0.5)
    net.astype(np.float32)
    ema.update()
    assert {a.dtype.name for a in ema.state_dict()["averages"].values()} == {"float32", "int64"}
    with ema.averaged():
        assert net[0].W.dtype == np.float32


def test_assigned_arrays_are_seen():
    net, ema = trained(1, decay=0.5)
    before = net[2].W.copy()
    net[2].W = before + 2
    ema.update()
    np.testing.assert_allclose(ema.state_dict()["averages"]["2.W"], before + 1)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda ema: pickle.loads(pickle.dumps(ema))])
@pytest.mark.parametrize("swapped", [False, True])
def test_copies_go_on_by_themselves(again, swapped):
    net, ema = trained(decay=0.5)
    if swapped:
        ema.swap()
    twin = again(ema)
    assert twin.model is not net
    if swapped:
        ema.swap()
        twin.swap()
    np.testing.assert_equal(twin.model.state_dict(), net.state_dict())
    np.testing.assert_equal(twin.state_dict(), ema.state_dict())
    twin.model[0].W += 1
    twin.update()
    assert (twin.num_updates, ema.num_updates) == (4, 3)


@both_dtypes
def test_a_loaded_state_goes_on_exactly(dtype):
    net, ema = trained(decay=0.5, dtype=dtype)
    other = model(dtype)
    other.load_state_dict(net.state_dict())
    fresh = EMA(other)
    fresh.load_state_dict(pickle.loads(pickle.dumps(ema.state_dict())))
    for each in (net, other):
        each[0].W += 1
    ema.update()
    fresh.update()
    np.testing.assert_equal(fresh.state_dict(), ema.state_dict())
    untouched = EMA(other)
    untouched.load_state_dict(EMA(net).state_dict())
    assert untouched.num_updates == 0


def test_a_state_is_a_copy_and_copied_when_loaded():
    net, ema = trained(decay=0.5)
    state = ema.state_dict()
    expected = copy.deepcopy(state)
    for _ in range(2):
        net[0].W += 1
        ema.update()
        np.testing.assert_equal(state, expected)
        ema.load_state_dict(state)


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (lambda s: s.pop("decay"), ValueError, r"state has \['averages', 'num_updates'\], expected"),
        (lambda s: s.update(other=1), ValueError, "state has"),
        (lambda s: s.update(decay=np.nan), ValueError, "decay must be from 0 to 1, got nan"),
        (lambda s: s.update(num_updates=-1), ValueError, "num_updates must be"),
        (lambda s: s.update(num_updates=0), ValueError, "does not fit the model: missing .* unexpected .*0.weight"),
        (lambda s: s["averages"].pop("0.bias"), ValueError, r"missing \['0.bias'\], unexpected \[\]"),
        (lambda s: s["averages"].update(other=1), ValueError, r"missing \[\], unexpected \['other'\]"),
        (
            lambda s: s["averages"].update({"0.bias": np.ones(2)}),
            pynet.ShapeError,
            r"'0.bias' has shape \(2,\), expected \(6,\)",
        ),
        (lambda s: s["averages"].update({"0.bias": "x"}), TypeError, "average of '0.bias'"),
    ],
)
def test_a_wrong_state_changes_nothing(spoil, error, text):
    _, ema = trained(decay=0.5)
    good = ema.state_dict()
    state = ema.state_dict() | {"averages": {name: array + 1 for name, array in good["averages"].items()}}
    spoil(state)
    with pytest.raises(error, match=text):
        ema.load_state_dict(state)
    np.testing.assert_equal(ema.state_dict(), good)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda net: net.append(pynet.Linear(2, 2)), ValueError, r"missing \['3.weight', '3.bias'\], unexpected \[\]"),
        (lambda net: net.layers.pop(), ValueError, r"missing \[\], unexpected \['2.W', '2.b'\]"),
        (
            lambda net: setattr(net[2], "W", np.ones((3, 6))),
            pynet.ShapeError,
            r"'2.W' has shape \(2, 6\), expected \(3, 6\)",
        ),
    ],
)
@pytest.mark.parametrize("call", ["update", "swap"])
def test_a_changed_model_is_an_error_and_nothing_moves(change, error, text, call):
    net, ema = trained(decay=0.5)
    averages = ema.state_dict()
    change(net)
    own = net.state_dict()
    with pytest.raises(error, match=text):
        getattr(ema, call)()
    np.testing.assert_equal(net.state_dict(), own)
    np.testing.assert_equal(ema.state_dict(), averages)


def test_a_read_only_parameter_stops_the_swap_before_anything_moves():
    net, ema = trained(decay=0.5)
    own = net.state_dict()
    net[2].b.flags.writeable = False
    with pytest.raises(ValueError, match=r"'2.b' is read-only"):
        ema.swap()
    np.testing.assert_equal(net.state_dict(), own)
    assert not ema.swapped


def test_calls_out_of_turn_raise():
    ema = EMA(model())
    with pytest.raises(pynet.StateError, match=r"no averages to swap in: call update\(\) first"):
        ema.swap()
    with pytest.raises(pynet.StateError, match=r"call update\(\) first"), ema.averaged():
        pass
    ema.update()
    state = ema.state_dict()
    ema.swap()
    for call in (ema.update, ema.state_dict, lambda: ema.load_state_dict(state), lambda: ema.averaged().__enter__()):
        with pytest.raises(pynet.StateError, match=r"has the averages now: call swap\(\) before"):
            call()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: EMA(model(), 1.1), ValueError, "decay must be from 0 to 1, got 1.1"),
        (lambda: EMA(model(), np.nan), ValueError, "decay must be from 0 to 1, got nan"),
        (lambda: EMA(model(), "x"), TypeError, "decay must be a number, got 'x'"),
        (lambda: setattr(EMA(model()), "decay", -1), ValueError, "decay must be"),
        (lambda: EMA(model().parameters()), TypeError, r"model must be a module, got list: write EMA\(model"),
        (lambda: EMA(pynet.Linear), TypeError, "model must be a module, got <class"),
    ],
)
def test_wrong_arguments_raise(call, error, text):
    with pytest.raises(error, match=text):
        call()
