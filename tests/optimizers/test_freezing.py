"""freeze and unfreeze: what stays as it is, of pynet's layers and of a user's."""

import copy
import pickle

import numpy as np
import pytest
from table import MODULES
from test_optim import ALL
from test_users_modules import NotebookLinear

import pynet
from pynet.optim import EMA, SGD, clip_grad_norm_, clip_grad_value_
from pynet.places import places as places_in


class Plain:
    """A user's layer without a base class, which knows nothing of freezing."""

    def __init__(self, width):
        self.W, self.grad_W = np.full(width, 2.0), np.zeros(width)

    def parameters(self):
        return [self.W]

    def grad_parameters(self):
        return [self.grad_W]

    def forward(self, input):
        self.output = input * self.W
        return self.output

    def backward(self, input, grad_output):
        self.grad_W = (input * grad_output).sum(0)
        return grad_output * self.W


class Holder(pynet.Module):
    """A user's layer that holds others, and speaks to them itself."""

    def __init__(self):
        super().__init__()
        self.first, self.second = Plain(4), pynet.Linear(4, 4, seed=5)

    def forward(self, input):
        self.output = self.second.forward(self.first.forward(input))
        return self.output

    def backward(self, input, grad_output):
        return self.first.backward(input, self.second.backward(self.first.output, grad_output))


def network():
    return pynet.Sequential(
        pynet.Linear(4, 4, seed=0),
        pynet.BatchNorm(4),
        pynet.Sequential(Plain(4), pynet.Tanh(), NotebookLinear(4, 4)),
        Holder(),
        pynet.Linear(4, 3, seed=2),
    )


def fill(model, seed=0, accumulate=False):
    x, grad = np.random.default_rng(seed).normal(size=(2, 6, 4))
    model.forward(x)
    return model.backward(x, grad[:, :3], accumulate=accumulate)


def copies(arrays):
    return [np.copy(array) for array in arrays]


def unchanged(arrays, before):
    return all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))


def test_the_flag_is_set_on_all_modules_below_and_on_nothing_else():
    model = network()
    assert model[2].freeze() is model[2]
    flags = {place: getattr(module, "frozen", False) for place, module in places_in(model)}
    assert {place for place, frozen in flags.items() if frozen} == {"2", "2.0", "2.1", "2.2"}
    model.train().eval().train()
    assert model[2][0].frozen
    assert model[2].frozen
    assert not model[0].frozen
    assert model[2].unfreeze() is model[2]
    assert not any(getattr(module, "frozen", False) for _, module in places_in(model))
    model[0].frozen = True
    assert model[0].frozen is True


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("case", MODULES)
def test_a_frozen_module_gives_the_gradient_at_its_input_and_leaves_its_own_alone(case, inside, accumulate):
    module = case.module()
    if not isinstance(module, pynet.Module):
        pytest.skip("a class of a user's own has no freeze()")
    whole = pynet.Sequential(module) if inside else module
    x = case.input()
    grad = np.ones_like(whole.forward(x))
    expected = np.copy(whole.backward(x, grad))
    before = copies(whole.grad_parameters())
    whole.freeze()
    np.testing.assert_array_equal(whole.backward(x, 2 * grad, accumulate=accumulate), 2 * expected)
    if inside or type(module).__module__.startswith("pynet."):
        assert unchanged(whole.grad_parameters(), before)
    whole.unfreeze()
    whole.backward(x, 2 * grad)
    assert not any(map(np.any, before)) or not unchanged(whole.grad_parameters(), before)


@pytest.mark.parametrize("part", [0, 1, 2, 3, 4, slice(0, 2), slice(2, 5), slice(0, 5)])
def test_gradients_of_frozen_parts_stay_and_the_others_are_as_they_were(part):
    model = network()
    twin = copy.deepcopy(model)
    fill(model, 1)
    fill(twin, 1)
    frozen = model[part].freeze()
    before = copies(frozen.grad_parameters())
    for seed, accumulate in ((2, False), (3, True)):
        np.testing.assert_array_equal(fill(model, seed, accumulate), fill(twin, seed, accumulate))
    assert unchanged(frozen.grad_parameters(), before)
    ids = {id(array) for array in frozen.parameters()}
    for array, got, want in zip(model.parameters(), model.grad_parameters(), twin.grad_parameters(), strict=True):
        if id(array) not in ids:
            np.testing.assert_array_equal(got, want)
    assert len(model.parameters()) == len(model.grad_parameters()) == len(twin.parameters())


def test_a_frozen_layer_that_stands_twice_keeps_its_gradients():
    shared = pynet.Linear(4, 4, seed=0)
    model = pynet.Sequential(shared, pynet.Linear(4, 4, seed=1), shared)
    x = np.ones((2, 4))
    model.backward(x, model.forward(x))
    before, other = copies(shared.grad_parameters()), np.copy(model[1].grad_W)
    shared.freeze()
    model.backward(x, 2 * model.forward(x))
    assert unchanged(shared.grad_parameters(), before)
    np.testing.assert_allclose(model[1].grad_W, 2 * other)


@pytest.mark.parametrize("cls", ALL)
def test_optimizers_leave_frozen_parameters_alone_and_remember_their_state(cls):
    model = network()
    twin = copy.deepcopy(model)
    a, b = cls(model, 0.01, weight_decay=0.1), cls(twin, 0.01, weight_decay=0.1)
    for net, optimizer in ((model, a), (twin, b)):
        fill(net)
        optimizer.step()
    model[2].freeze()
    before, kept = copies(model[2].parameters()), copy.deepcopy(a.state_dict()["state"])
    for seed in range(3):
        fill(model, seed)
        a.step()
    assert unchanged(model[2].parameters(), before)
    now = a.state_dict()["state"]
    for name in kept:
        if name.startswith("2."):
            np.testing.assert_equal(now[name], kept[name])
        else:
            assert now[name]["step"] == 4
    a.load_state_dict(a.state_dict())
    np.testing.assert_equal(a.state_dict()["state"], now)
    # Goes on where it was: as the twin, which has rested altogether.
    model[2].unfreeze()
    for net, optimizer in ((model, a), (twin, b)):
        for parameter in net.grad_parameters():
            parameter[...] = 1
        optimizer.step()
    assert unchanged(model[2].parameters(), twin[2].parameters())


def test_a_frozen_users_layer_needs_no_gradient():
    model = pynet.Sequential(pynet.Linear(3, 3), NotebookLinear(3, 3))
    model[0].grad_W[...] = 1
    with pytest.raises(pynet.StateError, match="no gradient"):
        SGD(model).step()
    model[1:].freeze()
    before = model.state_dict()
    SGD(model, 0.1).step()
    assert np.array_equal(model[1].W, before["1.W"])
    np.testing.assert_allclose(model[0].W, before["0.weight"] - 0.1)


def test_an_array_that_a_frozen_layer_shares_is_frozen():
    a, b = pynet.Linear(3, 3), pynet.Linear(3, 3)
    b.W = a.W
    a.freeze()
    model = pynet.Sequential(a, b)
    model[0].grad_W[...] = model[1].grad_W[...] = model[1].grad_b[...] = 1
    before = model.state_dict()
    SGD(model, 0.1).step()
    assert np.array_equal(a.W, before["0.weight"])
    np.testing.assert_allclose(b.b, before["1.bias"] - 0.1)


def test_clipping_looks_at_what_learns_alone():
    model = network()
    fill(model)
    model[2:].freeze()
    frozen = copies(model[2:].grad_parameters())
    learning = copies(model[:2].grad_parameters())
    norm = np.sqrt(sum((gradient**2).sum() for gradient in learning))
    np.testing.assert_allclose(clip_grad_norm_(model, norm / 2), norm, rtol=1e-12)
    np.testing.assert_allclose(model[0].grad_W, learning[0] / 2, rtol=1e-4)
    clip_grad_value_(model, 1e-9)
    assert np.abs(model[0].grad_W).max() <= 1e-9
    assert unchanged(model[2:].grad_parameters(), frozen)


def test_statistics_of_a_frozen_batch_norm_move_in_training_and_stay_in_evaluation():
    model = network()
    model[1].freeze()
    before = model[1].running_mean.copy()
    fill(model)
    moved = model[1].running_mean.copy()
    assert not np.array_equal(moved, before)
    fill(model.eval(), 1)
    assert np.array_equal(model[1].running_mean, moved)


def test_averages_of_frozen_parameters_are_the_parameters():
    model = network()
    average = EMA(model, 0.5)
    average.update()
    model[0].freeze()
    average.update()
    np.testing.assert_allclose(average.state_dict()["averages"]["0.weight"], model[0].W)


def test_copies_and_pickles_keep_the_flag_and_files_do_not(tmp_path):
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.Sequential(pynet.BatchNorm(3)))
    model[1].freeze()
    for made in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert made[1][0].frozen
        assert not made[0].frozen
    assert model.state_dict().keys() == pynet.Sequential(*model.layers).state_dict().keys()
    pynet.save(model, tmp_path / "model.npz")
    assert not pynet.load(tmp_path / "model.npz")[1][0].frozen


def test_a_gradient_check_is_of_the_formulas():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.Tanh(), NotebookLinear(3, 2)).freeze()
    pynet.testing.gradcheck(model, np.random.default_rng(0).normal(size=(3, 4)))
    assert model[0].frozen
    assert model[2].frozen


def test_a_summary_says_how_many_numbers_learn():
    model = pynet.Sequential(pynet.Linear(4, 3), pynet.ReLU(), pynet.Linear(3, 2))
    assert pynet.summary(model, 4).frozen == 0
    assert "frozen" not in str(pynet.summary(model, 4))
    model[0].freeze()
    found = pynet.summary(model, 4)
    assert (found.parameters, found.frozen, [row.frozen for row in found.rows]) == (23, 15, [0, 15, 0, 0])
    assert "8 to train, 15 frozen" in str(found)
    assert "Linear(4, 3)  frozen" in str(found)
    assert "Linear(3, 2)  frozen" not in str(found)


class Slots:
    """A user's layer that has no room for a flag."""

    __slots__ = ("W", "grad_W", "output")

    def __init__(self):
        self.W, self.grad_W = np.ones(4), np.zeros(4)

    parameters, grad_parameters = Plain.parameters, Plain.grad_parameters
    forward, backward = Plain.forward, Plain.backward


def test_a_layer_without_room_for_the_flag_is_named_and_nothing_is_frozen():
    model = pynet.Sequential(pynet.Linear(4, 4), Slots())
    with pytest.raises(TypeError, match="Slots has __slots__ and no room for 'frozen'"):
        model.freeze()
    assert not model.frozen
    assert not model[0].frozen
    assert model.unfreeze() is model


def test_groups_go_on_with_a_part_of_their_parameters():
    model = pynet.Sequential(pynet.Linear(3, 3), pynet.Linear(3, 3))
    optimizer = SGD(model, 0.1, groups=[{"parameters": "*.bias", "lr": 0.5}])
    model[0].freeze()
    for gradient in model.grad_parameters():
        gradient[...] = 1
    before = model.state_dict()
    optimizer.step()
    after = model.state_dict()
    for name, lr in (("0.weight", 0), ("0.bias", 0), ("1.weight", 0.1), ("1.bias", 0.5)):
        np.testing.assert_allclose(before[name] - after[name], lr)
