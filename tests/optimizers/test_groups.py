"""Parameter groups: which parameters are whose, with which numbers they move, and what is refused."""

import copy
import pickle

import numpy as np
import pytest
from compiled_steps import assert_close, batch, compare, state
from test_optim import CASES, fill_gradients
from test_users_modules import NotebookLinear

import pynet
from pynet.optim import SGD, Adam, AdamW, lr_scheduler


def network():
    return pynet.Sequential(
        pynet.Linear(4, 5, seed=0),
        pynet.BatchNorm(5),
        pynet.Sequential(pynet.Linear(5, 3, seed=1), NotebookLinear(3, 3)),
    )


NAMES = ["0.weight", "0.bias", "1.weight", "1.bias", "2.0.weight", "2.0.bias", "2.1.W", "2.1.b"]


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (lambda m: "*.bias", ["0.bias", "1.bias", "2.0.bias"]),
        (lambda m: "0.*", ["0.weight", "0.bias"]),
        (lambda m: "2.[0-9].[Wb]", ["2.1.W", "2.1.b"]),
        (lambda m: m[0], ["0.weight", "0.bias"]),
        (lambda m: m[2], ["2.0.weight", "2.0.bias", "2.1.W", "2.1.b"]),
        (lambda m: m[2][1], ["2.1.W", "2.1.b"]),
        (lambda m: m, NAMES),
        (lambda m: [m[1], "2.0.bias", "*.W"], ["1.weight", "1.bias", "2.0.bias", "2.1.W"]),
    ],
)
def test_a_group_is_a_module_a_pattern_or_a_list_of_these(chosen, names):
    model = network()
    (group,) = SGD(model, 0.1, groups=[{"parameters": chosen(model), "lr": 0.01}]).groups
    assert group == (names, 0.01, 0.0)


def test_the_first_group_that_matches_has_a_parameter():
    model = network()
    optimizer = AdamW(
        model,
        0.1,
        weight_decay=0.5,
        groups=[{"parameters": "*.bias", "weight_decay": 0}, {"parameters": model[0], "lr": 0.2}, {"parameters": "*"}],
    )
    first, second, third = optimizer.groups
    assert first == (["0.bias", "1.bias", "2.0.bias"], 0.1, 0.0)
    assert second == (["0.weight"], 0.2, 0.5)
    assert third == (["1.weight", "2.0.weight", "2.1.W", "2.1.b"], 0.1, 0.5)


def test_groups_are_shown_as_they_are_written():
    model = network()
    groups = [{"parameters": [model[2], "*.bias"], "lr": 0.05}, {"parameters": "0.*", "weight_decay": 0}]
    optimizer = SGD(model, 0.1, groups=groups)
    optimizer.lr = 0.01
    assert repr(optimizer) == (
        "SGD(lr=0.01, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, "
        "groups=[{'parameters': ['2.*', '*.bias'], 'lr': 0.005}, {'parameters': ['0.*'], 'weight_decay': 0.0}])"
    )
    assert "groups" not in repr(SGD(model))
    assert SGD(model).groups == []


@pytest.mark.parametrize(("cls", "reference", "options"), CASES)
def test_each_parameter_moves_by_the_numbers_of_its_group(cls, reference, options):
    model = pynet.Sequential(pynet.Linear(40, 300, seed=1), pynet.BatchNorm(300), NotebookLinear(300, 2))
    own = {"0.weight": {"lr": 0.02}, "2.b": {"lr": 0.3, "weight_decay": 0.7}, "1.bias": {"weight_decay": 0.0}}
    optimizer = cls(model, **options, groups=[{"parameters": name} | numbers for name, numbers in own.items()])
    expected, states = [p.copy() for p in model.parameters()], [{} for _ in model.parameters()]
    for step in range(4):
        fill_gradients(model, step)
        expected = [
            reference(p, g, s, **(options | own.get(name, {})))
            for (name, _), p, g, s in zip(
                model.named_parameters(), expected, model.grad_parameters(), states, strict=True
            )
        ]
        optimizer.step()
        for p, e in zip(model.parameters(), expected, strict=True):
            np.testing.assert_allclose(p, e, rtol=1e-9, atol=1e-12)


def in_groups(cls, **options):
    groups = [{"parameters": "*.bias", "lr": 0.02, "weight_decay": 0}, {"parameters": "0.*", "lr": 0.001}]
    return lambda model: cls(model, 0.01, weight_decay=0.1, groups=groups, **options)


@pytest.mark.parametrize("rows", [1, 20, 140])
@pytest.mark.parametrize("cls", [SGD, Adam, AdamW, pynet.optim.NAdam, pynet.optim.Adagrad])
def test_compiled_steps_know_of_groups(cls, rows):
    model = pynet.Sequential(pynet.Linear(7, 40, seed=0), pynet.ReLU(), pynet.Linear(40, 5, seed=1))
    compare(model, pynet.CrossEntropyLoss(), in_groups(cls), lambda i: batch(rows, 7, 5, seed=i), np.float64)


def test_compiled_steps_see_a_changed_lr_and_loaded_groups():
    model = pynet.Sequential(pynet.Linear(7, 5, seed=0))
    twin = copy.deepcopy(model)
    a, b = in_groups(Adam)(model), in_groups(Adam)(twin)
    step = pynet.compile_step(model, pynet.MSELoss(), a)
    x, y = np.random.default_rng(0).normal(size=(4, 7)), np.zeros((4, 5))

    def both():
        step(x, y)
        assert step.compiled
        output = twin.forward(x)
        twin.backward(x, pynet.MSELoss().backward(output, y))
        b.step()
        assert_close(state(model, a), state(twin, b), np.float64)

    both()
    a.lr = b.lr = 0.5
    both()
    wanted = a.state_dict()
    wanted["groups"][0]["lr_ratio"] = 7.0
    a.load_state_dict(wanted)
    b.load_state_dict(wanted)
    assert a.groups[0].lr == 3.5
    both()


@pytest.mark.parametrize(
    "make",
    [
        lambda o: lr_scheduler.StepLR(o, 2, 0.1),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 4),
        lambda o: lr_scheduler.OneCycleLR(o, 1.0, 6, cycle_momentum=False),
    ],
)
def test_schedules_scale_groups_in_proportion(make):
    model = network()
    optimizer = SGD(model, 0.1, groups=[{"parameters": "*.bias", "lr": 0.3}, {"parameters": "0.*"}])
    schedule = make(optimizer)
    seen = set()
    for _ in range(5):
        schedule.step()
        seen.add(optimizer.lr)
        np.testing.assert_allclose([group.lr for group in optimizer.groups], [3 * optimizer.lr, optimizer.lr])
    assert len(seen) > 1


def test_groups_follow_their_module_and_new_layers_their_patterns():
    model = network()
    optimizer = SGD(model, 0.1, groups=[{"parameters": model[0], "lr": 0.2}, {"parameters": "*.bias", "lr": 0.3}])
    model.layers.insert(0, pynet.Linear(4, 4))
    assert [group.parameters for group in optimizer.groups] == [
        ["1.weight", "1.bias"],
        ["0.bias", "2.bias", "3.0.bias"],
    ]
    model.zero_grad()
    model[0].grad_b[...] = model[1].grad_b[...] = model[0].grad_W[...] = 1
    model[3][1].grad_W, model[3][1].grad_b = np.zeros((3, 3)), np.zeros(3)
    before = model.state_dict()
    optimizer.step()
    after = model.state_dict()
    for name, lr in (("0.weight", 0.1), ("0.bias", 0.3), ("1.bias", 0.2)):
        np.testing.assert_allclose(before[name] - after[name], lr)


def test_states_copies_and_pickles_keep_groups():
    model = network()
    optimizer = in_groups(Adam)(model)
    other = Adam(
        network(),
        groups=[{"parameters": "*.bias", "lr": 0.5}, {"parameters": ["0.weight", "0.bias"], "weight_decay": 3}],
    )
    other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    assert other.groups == optimizer.groups
    for made in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert made.groups == optimizer.groups
        assert made.model is not model
    by_module = SGD(model, 0.1, groups=[{"parameters": model[0], "lr": 0.2}])
    twin = copy.deepcopy(by_module)
    twin.model.layers.insert(0, pynet.Tanh())
    assert twin.groups[0].parameters == ["1.weight", "1.bias"]


def test_a_state_of_other_groups_changes_nothing():
    optimizer = in_groups(Adam)(network())
    good = optimizer.state_dict()
    spoil = [
        lambda s: s.pop("groups"),
        lambda s: s.update(groups=[]),
        lambda s: s.update(groups=None),
        lambda s: s["groups"].pop(),
        lambda s: s["groups"].reverse(),
        lambda s: s["groups"][0].update(more=1),
        lambda s: s["groups"][0].update(lr_ratio=-1),
        lambda s: s["groups"][1].update(weight_decay=np.nan),
        lambda s: s.update(lr=-1),
    ]
    for change in spoil:
        wrong = copy.deepcopy(good) | {"eps": 0.5}
        change(wrong)
        with pytest.raises(ValueError, match=r"groups|lr"):
            optimizer.load_state_dict(wrong)
        np.testing.assert_equal(optimizer.state_dict(), good)
    with pytest.raises(ValueError, match="groups"):
        Adam(network()).load_state_dict(good)


def test_a_run_with_groups_is_resumed_with_the_same_bits(tmp_path):
    random = np.random.default_rng(0)
    X, y = random.normal(size=(40, 4)), random.integers(0, 3, 40)

    def run(epochs, **options):
        model = pynet.Sequential(pynet.Linear(4, 9, seed=0), pynet.Tanh(), pynet.Linear(9, 3, seed=1))
        optimizer = in_groups(pynet.optim.NAdam)(model)
        schedule = pynet.callbacks.LRScheduler(lr_scheduler.CosineAnnealingLR(optimizer, 3))
        checkpoint = pynet.callbacks.Checkpoint(tmp_path / "run.npz")
        pynet.Trainer(model, pynet.CrossEntropyLoss(), optimizer, [schedule, checkpoint]).fit(
            X, y, epochs, seed=3, **options
        )
        return model.state_dict()

    whole = run(6)
    run(3)  # where the learning rate is 0
    resumed = run(6, resume=tmp_path / "run.npz")
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


class OwnMove(SGD):
    """A user's, which knows nothing of groups."""

    def _move(self, parameters, grads, buffers, steps):
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter -= self.lr * grad


def test_a_move_of_ones_own_is_taken_without_groups_and_refused_with_them():
    model = network()
    model.backward(np.ones((2, 4)), np.ones((2, 3)))
    before = model[0].W.copy()
    OwnMove(model, 0.5).step()
    np.testing.assert_allclose(model[0].W, before - 0.5 * model[0].grad_W)
    with pytest.raises(TypeError, match="OwnMove has a _move of its own"):
        OwnMove(model, 0.5, groups=[{"parameters": "*"}])
