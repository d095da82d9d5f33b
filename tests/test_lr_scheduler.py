"""The schedules: their values by formulas in NumPy, where they start from, their state, and what they refuse."""

import copy
import json
import pickle

import numpy as np
import pytest

import pynet
from pynet.optim import SGD, Adam, AdamW
from pynet.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)


def sgd(lr=0.1, **options):
    return SGD(pynet.Linear(2, 2), lr, **options)


def inverse(epoch):
    return 1 / (1 + epoch)


def warm_up(optimizer):
    parts = [LinearLR(optimizer, 0.5, total_iters=4), CosineAnnealingLR(optimizer, 10), ExponentialLR(optimizer, 0.9)]
    return SequentialLR(optimizer, parts, [4, 12])


def rates(schedule, steps):
    """The learning rate at first and after every step."""
    found = [schedule.optimizer.lr]
    for _ in range(steps):
        schedule.step()
        assert schedule.get_last_lr() == [schedule.optimizer.lr]
        found.append(schedule.optimizer.lr)
    return found


e = np.arange(31)  # the epoch
ROWS = [
    (lambda o: StepLR(o, 7), 0.1 * 0.1 ** np.floor(e / 7)),
    (lambda o: StepLR(o, step_size=1, gamma=0.5), 0.1 * 0.5**e),
    (lambda o: MultiStepLR(o, [9, 3, 3]), 0.1 * np.where(e < 3, 1, np.where(e < 9, 1e-2, 1e-3))),
    (lambda o: MultiStepLR(o, (0, 30), gamma=2), 0.2 * np.where(e < 30, 1, 2)),
    (lambda o: MultiStepLR(o, []), 0.1 + 0 * e),
    (lambda o: ExponentialLR(o, 0.9), 0.1 * 0.9**e),
    (lambda o: ExponentialLR(o, 0), 0.1 * (e == 0)),
    (lambda o: CosineAnnealingLR(o, 10), 0.05 + 0.05 * np.cos(e / 10 * np.pi)),
    (lambda o: CosineAnnealingLR(o, 30, eta_min=0.02), 0.06 + 0.04 * np.cos(e / 30 * np.pi)),
    (lambda o: LinearLR(o), np.interp(e, [0, 5], [0.1 / 3, 0.1])),
    (lambda o: LinearLR(o, 1, 0, 8), np.interp(e, [0, 8], [0.1, 0])),
    (lambda o: LambdaLR(o, inverse), 0.1 / (e + 1)),
    (warm_up, np.r_[0.05 + 0.0125 * e[:4], 0.05 + 0.05 * np.cos(e[:8] / 10 * np.pi), 0.1 * 0.9 ** e[:19]]),
    (lambda o: SequentialLR(o, [StepLR(o, 2, 0.5)], []), 0.1 * 0.5 ** (e // 2)),
    (
        lambda o: SequentialLR(o, [StepLR(o, 2), LinearLR(o), ExponentialLR(o, 0.5)], [3, 3]),
        [0.1, 0.1, 0.01, *0.1 * 0.5 ** e[:28]],
    ),
    (lambda o: SequentialLR(o, [LinearLR(o), warm_up(o)], [0]), rates(warm_up(sgd()), 30)),
]


@pytest.mark.parametrize(("make", "expected"), ROWS)
@pytest.mark.parametrize("cls", [SGD, Adam, AdamW])
def test_thirty_steps_equal_the_formula(cls, make, expected):
    schedule = make(cls(pynet.Linear(2, 2), 0.1))
    np.testing.assert_allclose(rates(schedule, 30), expected, rtol=1e-12, atol=1e-17)
    np.testing.assert_allclose([schedule.lr_at(epoch) for epoch in range(31)], expected, rtol=1e-12, atol=1e-17)
    assert schedule.last_epoch == 30
    assert schedule.base_lr == 0.1


def between(shape, knots, values, steps):
    """Values that are given at some steps, and between them follow a line or half a cosine."""
    found = np.interp(steps, knots, values)
    if shape == "cos":
        part = np.interp(steps, knots, np.arange(len(knots)))
        begin = np.minimum(part.astype(int), len(knots) - 2)
        start, end = np.take(values, begin), np.take(values, begin + 1)
        found = (start + end) / 2 + (start - end) / 2 * np.cos(np.pi * (part - begin))
    return found


@pytest.mark.parametrize("shape", ["cos", "linear"])
@pytest.mark.parametrize(
    ("options", "knots", "lrs", "momenta"),
    [
        ({"total_steps": 20}, [0, 5, 19], [0.02, 0.5, 2e-6], [0.95, 0.85, 0.95]),
        ({"epochs": 4, "steps_per_epoch": 5}, [0, 5, 19], [0.02, 0.5, 2e-6], [0.95, 0.85, 0.95]),
        (
            {"total_steps": 20, "pct_start": 0.4, "three_phase": True, "div_factor": 5, "final_div_factor": 10},
            [0, 7, 14, 19],
            [0.1, 0.5, 0.1, 0.01],
            [0.95, 0.85, 0.95, 0.95],
        ),
        (
            {"total_steps": 20, "pct_start": 0.05, "base_momentum": 0.2, "max_momentum": 0.3},
            [0, 19],
            [0.5, 2e-6],
            [0.2, 0.3],
        ),
        ({"total_steps": 20, "pct_start": 0.0}, [-1, 19], [0.5, 2e-6], [0.85, 0.95]),
        ({"total_steps": 20, "pct_start": 1}, [0, 19], [0.02, 0.5], [0.95, 0.85]),
    ],
)
def test_one_cycle_goes_up_and_down_and_momentum_down_and_up(shape, options, knots, lrs, momenta):
    steps = np.arange(20)
    with_momentum, with_betas, lr_alone = sgd(), Adam(pynet.Linear(2, 2), betas=(0.5, 0.7)), sgd(momentum=0.5)
    for optimizer in (with_momentum, with_betas, lr_alone):
        schedule = OneCycleLR(
            optimizer, 0.5, anneal_strategy=shape, cycle_momentum=optimizer is not lr_alone, **options
        )
        found = []
        for _ in steps:
            found.append((optimizer.lr, optimizer.betas[0] if optimizer is with_betas else optimizer.momentum))
            schedule.step()
        found_lrs, found_momenta = np.transpose(found)
        np.testing.assert_allclose(found_lrs, between(shape, knots, lrs, steps), rtol=1e-12, atol=1e-16)
        expected = 0.5 if optimizer is lr_alone else between(shape, knots, momenta, steps)
        np.testing.assert_allclose(found_momenta, expected * np.ones(20), rtol=1e-12)
    assert with_betas.betas[1] == 0.7


@pytest.mark.parametrize("shape", ["cos", "linear"])
@pytest.mark.parametrize("total_steps", [1, 2, 3, 10])
@pytest.mark.parametrize("pct_start", [0, 0.1, 0.3, 0.55, 1])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle_stays_in_range_and_refuses_a_step_more(shape, total_steps, pct_start, three_phase):
    optimizer = Adam(pynet.Linear(2, 2))
    schedule = OneCycleLR(
        optimizer,
        1,
        total_steps,
        pct_start=pct_start,
        anneal_strategy=shape,
        three_phase=three_phase,
        max_momentum=0.99,
    )
    for epoch in range(total_steps + 1):
        assert schedule.last_epoch == epoch
        assert 4e-6 * (1 - 1e-9) <= optimizer.lr <= 1
        assert 0.85 <= optimizer.betas[0] <= 0.99 + 1e-15
        if epoch < total_steps:
            schedule.step()
    before = optimizer.lr, optimizer.betas, schedule.state_dict()
    with pytest.raises(ValueError, match=f"has {total_steps} steps, and this is step {total_steps + 1}"):
        schedule.step()
    assert (optimizer.lr, optimizer.betas, schedule.state_dict()) == before


def plateau(metrics, **options):
    schedule = ReduceLROnPlateau(sgd(1.0), **options)
    found = []
    for metric in metrics:
        schedule.step(metric)
        assert schedule.get_last_lr() == [schedule.optimizer.lr]
        found.append(schedule.optimizer.lr)
    return found


@pytest.mark.parametrize(
    ("options", "metrics", "expected"),
    [
        ({"patience": 1}, [5, 5, 5, 5, 5], [1, 1, 0.1, 0.1, 0.01]),
        ({"patience": 0, "factor": 0.5}, [5, 4, 4, 3, np.nan], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 0, "factor": 0.5}, [np.nan, np.inf, 3, 4], [0.5, 0.25, 0.25, 0.125]),
        ({"patience": 0, "factor": 0.5, "threshold": 0.1}, [10, 9.1, 8.9, 8.1], [1, 0.5, 0.5, 0.25]),
        ({"patience": 0, "factor": 0.5, "threshold": 0.1, "threshold_mode": "abs"}, [1, 0.95, 0.8], [1, 0.5, 0.5]),
        ({"patience": 0, "factor": 0.5, "threshold": 0.1, "mode": "max"}, [10, 10.9, 11.1], [1, 0.5, 0.5]),
        (
            {"patience": 0, "factor": 0.5, "threshold": 0.1, "mode": "max", "threshold_mode": "abs"},
            [-1, -0.95, -0.8],
            [1, 0.5, 0.5],
        ),
        ({"patience": 0, "factor": 0.5, "cooldown": 2}, [5, 5, 5, 5, 5, 5], [1, 0.5, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 0, "factor": 0.5, "min_lr": 0.3}, [5, 5, 5, 5], [1, 0.5, 0.3, 0.3]),
        ({"patience": 0, "factor": 0.5, "eps": 0.3}, [5, 5, 5, 5], [1, 0.5, 0.5, 0.5]),
        ({}, [5] * 12, [1] * 11 + [0.1]),
    ],
)
def test_a_plateau_lowers_the_learning_rate(options, metrics, expected):
    np.testing.assert_allclose(plateau(metrics, **options), expected, rtol=1e-15)
    np.testing.assert_allclose(plateau(map(np.float32, metrics), **options), expected, rtol=1e-15)


def test_a_plateau_lowers_what_the_optimizer_has():
    schedule = ReduceLROnPlateau(sgd(1.0), patience=0)
    schedule.step(1)
    schedule.optimizer.lr = 0.7
    schedule.step(1)
    assert schedule.optimizer.lr == pytest.approx(0.07)
    assert StepLR(schedule.optimizer, 3).base_lr == 0.7


MAKE = [make for make, _ in ROWS] + [
    lambda o: OneCycleLR(o, 0.5, 25),
    lambda o: OneCycleLR(o, 0.5, 25, cycle_momentum=False, three_phase=True),
    lambda o: ReduceLROnPlateau(o, patience=1, cooldown=1),
    lambda o: ReduceLROnPlateau(o, mode="max", patience=0),
    lambda o: SequentialLR(o, [LinearLR(o), OneCycleLR(o, 0.5, 20, anneal_strategy="linear")], [4]),
]
each_schedule = pytest.mark.parametrize("make", MAKE)


def advance(schedule, metrics):
    """The optimizer's options after every step."""
    found = []
    for metric in metrics:
        schedule.step(metric) if isinstance(schedule, ReduceLROnPlateau) else schedule.step()
        found.append((repr(schedule.optimizer), schedule.get_last_lr(), schedule.last_epoch))
    return found


@each_schedule
@pytest.mark.parametrize("steps", [0, 3, 11])
@pytest.mark.parametrize("cls", [SGD, Adam])
def test_a_loaded_schedule_goes_on_as_if_nothing_had_happened(make, steps, cls):
    metrics = np.random.normal(size=steps), np.random.normal(size=12)
    schedule = make(cls(pynet.Linear(2, 2), 0.1))
    advance(schedule, metrics[0])
    state = json.loads(json.dumps(schedule.state_dict(), allow_nan=False))
    fresh = make(cls(pynet.Linear(2, 2), 0.3))
    fresh.load_state_dict(state)
    assert repr(fresh.optimizer) == repr(schedule.optimizer)
    assert (fresh.last_epoch, fresh.get_last_lr(), fresh.state_dict()) == (steps, schedule.get_last_lr(), state)
    assert ExponentialLR(copy.deepcopy(fresh.optimizer), 0.5).base_lr == 0.1
    assert advance(fresh, metrics[1]) == advance(schedule, metrics[1])


def test_an_assigned_learning_rate_is_loaded_too():
    schedule = ReduceLROnPlateau(sgd(), patience=0)
    schedule.step(1)
    schedule.optimizer.lr = 0.7
    fresh = ReduceLROnPlateau(sgd(), patience=0)
    fresh.load_state_dict(schedule.state_dict())
    assert fresh.optimizer.lr == 0.7
    assert fresh.get_last_lr() == [0.1]


@each_schedule
def test_a_copy_goes_on_by_itself(make):
    schedule = make(sgd())
    advance(schedule, [1, 2])
    twin = copy.deepcopy(schedule)
    assert twin.optimizer is not schedule.optimizer
    expected = advance(twin, range(5))
    assert advance(schedule, range(5)) == expected
    assert repr(twin) == repr(schedule)


@pytest.mark.parametrize("make", [warm_up, lambda o: LambdaLR(o, inverse), lambda o: ReduceLROnPlateau(o, patience=0)])
def test_a_pickle_goes_on_too(make):
    schedule = make(sgd())
    advance(schedule, [1, 2])
    again = pickle.loads(pickle.dumps(schedule))
    assert advance(again, range(5)) == advance(schedule, range(5))


@each_schedule
def test_schedules_made_one_after_another_start_from_the_users_lr(make):
    optimizer = sgd(0.1)
    first = make(optimizer)
    advance(first, [3, 3, 3])
    assert make(optimizer).base_lr == 0.1
    for again in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert ExponentialLR(again, 0.5).base_lr == 0.1
    optimizer.lr = 0.7
    assert make(optimizer).base_lr == 0.7
    assert ExponentialLR(optimizer, 0.5).base_lr == 0.7
    assert optimizer.lr == 0.7


def test_an_optimizers_state_does_not_know_of_schedules():
    optimizer = sgd()
    before = optimizer.state_dict()
    LinearLR(optimizer)
    assert optimizer.state_dict() == before | {"lr": 0.1 / 3}
    optimizer.load_state_dict(before)
    assert optimizer.lr == 0.1


def test_each_of_a_sequence_starts_from_its_own_learning_rate():
    def make(optimizer):
        first = StepLR(optimizer, 2)
        optimizer.lr = 5
        return SequentialLR(optimizer, [first, StepLR(optimizer, 2)], [3])

    schedule, loaded = make(sgd(1.0)), make(sgd(2.0))
    np.testing.assert_allclose(rates(schedule, 6), [1, 1, 0.1, 5, 5, 0.5, 0.5], rtol=1e-15)
    loaded.load_state_dict(schedule.state_dict())
    for each in (schedule, loaded):
        assert StepLR(each.optimizer, 2).base_lr == 5
    schedule = make(sgd(1.0))
    loaded.load_state_dict(schedule.state_dict())
    assert StepLR(loaded.optimizer, 2).base_lr == StepLR(schedule.optimizer, 2).base_lr == 1


def test_a_steps_learning_rate_is_the_schedules():
    layer = pynet.Linear(1, 1)
    schedule = StepLR(SGD(layer, 1.0), 1)
    layer.grad_W[...] = 1
    for expected in (1, 0.1, 0.01):
        before = layer.W.copy()
        schedule.optimizer.step()
        np.testing.assert_allclose(before - layer.W, expected)
        schedule.step()


def test_a_schedule_of_ones_own_needs_a_formula():
    class Sawtooth(LRScheduler):
        def __init__(self, optimizer, period):
            self.period = period
            super().__init__(optimizer)

        def lr_at(self, epoch):
            return self.base_lr * (epoch % self.period)

    schedule = Sawtooth(sgd(), 3)
    np.testing.assert_allclose(rates(schedule, 4), [0, 0.1, 0.2, 0, 0.1])
    assert repr(schedule).startswith("Sawtooth(SGD(lr=0.1, ")
    with pytest.raises(NotImplementedError, match=r"LRScheduler has no lr_at\(epoch\)"):
        LRScheduler(sgd())


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda o: StepLR(o, 7), "StepLR({}, 7)"),
        (lambda o: StepLR(o, 7, 0.5), "StepLR({}, 7, gamma=0.5)"),
        (lambda o: MultiStepLR(o, (4, 2)), "MultiStepLR({}, [2, 4])"),
        (lambda o: OneCycleLR(o, 1, 5, three_phase=1), "OneCycleLR({}, 1.0, total_steps=5, three_phase=True)"),
        (lambda o: ReduceLROnPlateau(o, "max", cooldown=2), "ReduceLROnPlateau({}, mode='max', cooldown=2)"),
        (lambda o: SequentialLR(o, [ExponentialLR(o, 0.5)], []), "SequentialLR({0}, [ExponentialLR({0}, 0.5)], [])"),
    ],
)
def test_repr_is_the_call(make, text):
    optimizer = sgd()
    assert repr(make(optimizer)) == text.format(optimizer)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda o: StepLR(o, 0), ValueError, r"step_size must be from 1 .* got 0"),
        (lambda o: StepLR(o, 2.5), TypeError, r"step_size must be an int, got 2.5"),
        (lambda o: StepLR(o, 2, -0.1), ValueError, r"gamma must be .* at least 0, got -0.1"),
        (lambda o: StepLR(o, 2, np.nan), ValueError, r"gamma must be .* got nan"),
        (lambda o: MultiStepLR(o, 3), TypeError, r"milestones must be a list of ints, got 3"),
        (lambda o: MultiStepLR(o, [3, -1]), ValueError, r"milestones\[1\] must be from 0 .* got -1"),
        (lambda o: MultiStepLR(o, [3], "x"), TypeError, r"gamma must be a number, got 'x'"),
        (lambda o: ExponentialLR(o, np.inf), ValueError, r"gamma must be finite .* got inf"),
        (lambda o: CosineAnnealingLR(o, 0), ValueError, r"T_max must be from 1 .* got 0"),
        (lambda o: CosineAnnealingLR(o, 5, -1), ValueError, r"eta_min must be .* got -1"),
        (lambda o: CosineAnnealingLR(o, 5, np.nan), ValueError, r"eta_min must be .* got nan"),
        (lambda o: LinearLR(o, 0), ValueError, r"start_factor must be above 0 and at most 1, got 0"),
        (lambda o: LinearLR(o, np.nan), ValueError, r"start_factor must be .* got nan"),
        (lambda o: LinearLR(o, 1, 1.1), ValueError, r"end_factor must be from 0 to 1, got 1.1"),
        (lambda o: LinearLR(o, 1, np.nan), ValueError, r"end_factor must be .* got nan"),
        (lambda o: LinearLR(o, total_iters=0), ValueError, r"total_iters must be from 1 .* got 0"),
        (lambda o: LambdaLR(o, 0.5), TypeError, r"lr_lambda must be a function of the epoch, got 0.5"),
        (lambda o: LambdaLR(o, lambda epoch: -1), ValueError, r"lr_lambda\(0\) must be .* at least 0, got -1"),
        (lambda o: LambdaLR(o, lambda epoch: None), TypeError, r"lr_lambda\(0\) must be a number, got None"),
        (lambda o: OneCycleLR(o, 1), ValueError, r"no length: give total_steps, or both epochs and steps_per_epoch"),
        (lambda o: OneCycleLR(o, 1, epochs=3), ValueError, r"no length"),
        (lambda o: OneCycleLR(o, 1, 0), ValueError, r"total_steps must be from 1"),
        (lambda o: OneCycleLR(o, 1, epochs=0, steps_per_epoch=3), ValueError, r"epochs must be from 1"),
        (lambda o: OneCycleLR(o, 1, epochs=3, steps_per_epoch=0), ValueError, r"steps_per_epoch must be from 1"),
        (lambda o: OneCycleLR(o, np.nan, 9), ValueError, r"max_lr must be .* got nan"),
        (lambda o: OneCycleLR(o, 1, 9, pct_start=1.1), ValueError, r"pct_start must be from 0 to 1, got 1.1"),
        (lambda o: OneCycleLR(o, 1, 9, pct_start=np.nan), ValueError, r"pct_start must be .* got nan"),
        (lambda o: OneCycleLR(o, 1, 9, anneal_strategy="sin"), ValueError, r"one of 'cos', 'linear', got 'sin'"),
        (lambda o: OneCycleLR(o, 1, 9, base_momentum=1), ValueError, r"base_momentum must be .* less than 1, got 1"),
        (lambda o: OneCycleLR(o, 1, 9, max_momentum=np.nan), ValueError, r"max_momentum must be .* got nan"),
        (lambda o: OneCycleLR(o, 1, 9, div_factor=0), ValueError, r"div_factor must be finite and above 0, got 0"),
        (lambda o: OneCycleLR(o, 1, 9, final_div_factor=np.nan), ValueError, r"final_div_factor must be .* got nan"),
        (lambda o: OneCycleLR(Bare(o.model, 0.1), 1, 9), ValueError, r"must have momentum or betas, got Bare"),
        (lambda o: ReduceLROnPlateau(o, "least"), ValueError, r"mode must be one of 'min', 'max', got 'least'"),
        (lambda o: ReduceLROnPlateau(o, factor=1), ValueError, r"factor must be .* less than 1, got 1"),
        (lambda o: ReduceLROnPlateau(o, factor=np.nan), ValueError, r"factor must be .* got nan"),
        (lambda o: ReduceLROnPlateau(o, patience=-1), ValueError, r"patience must be from 0"),
        (lambda o: ReduceLROnPlateau(o, threshold=np.nan), ValueError, r"threshold must be .* got nan"),
        (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), ValueError, r"threshold_mode must be one of 'rel', 'abs'"),
        (lambda o: ReduceLROnPlateau(o, cooldown=1.5), TypeError, r"cooldown must be an int"),
        (lambda o: ReduceLROnPlateau(o, min_lr=-1), ValueError, r"min_lr must be"),
        (lambda o: ReduceLROnPlateau(o, eps=np.nan), ValueError, r"eps must be .* got nan"),
        (lambda o: ReduceLROnPlateau(o).step("low"), TypeError, r"metrics must be a number, got 'low'"),
        (lambda o: SequentialLR(o, [], []), ValueError, r"schedulers must have at least one schedule, got none"),
        (lambda o: SequentialLR(o, StepLR(o, 1), []), TypeError, r"schedulers must be a list of schedules, got StepLR"),
        (
            lambda o: SequentialLR(o, [StepLR(o, 1), None], [1]),
            TypeError,
            r"schedulers\[1\] must be a schedule, got None",
        ),
        (lambda o: SequentialLR(o, [ReduceLROnPlateau(o)], []), ValueError, r"schedulers\[0\] is a ReduceLROnPlateau"),
        (
            lambda o: SequentialLR(o, [StepLR(sgd(), 1)], []),
            ValueError,
            r"schedulers\[0\] must be of the same optimizer",
        ),
        (lambda o: SequentialLR(o, [StepLR(o, 1)], [1]), ValueError, r"one fewer than schedulers, 0, got 1"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)] * 2, 3), TypeError, r"milestones must be a list of ints, got 3"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)] * 2, [-1]), ValueError, r"milestones\[0\] must be from 0"),
        (lambda o: SequentialLR(o, [StepLR(o, 1)] * 3, [4, 2]), ValueError, r"must be ascending, got \[4, 2\]"),
    ],
)
def test_wrong_arguments_raise_and_leave_the_optimizer_alone(make, error, text):
    optimizer = sgd()
    with pytest.raises(error, match=text):
        make(optimizer)
    assert optimizer.lr == 0.1
    assert optimizer.momentum == 0


class Bare(pynet.optim.Optimizer):
    """An optimizer that has a learning rate and nothing else."""


@pytest.mark.parametrize(
    "make",
    [
        lambda m: StepLR(m, 3),
        lambda m: MultiStepLR(m, [3]),
        lambda m: ExponentialLR(m, 0.9),
        lambda m: CosineAnnealingLR(m, 3),
        lambda m: LinearLR(m),
        lambda m: LambdaLR(m, inverse),
        lambda m: OneCycleLR(m, 1, 9),
        lambda m: ReduceLROnPlateau(m),
        lambda m: SequentialLR(m, [StepLR(sgd(), 1)], []),
    ],
)
@pytest.mark.parametrize("wrong", [pynet.Linear(2, 2), 0.1, None, SGD])
def test_what_is_no_optimizer_is_refused(make, wrong):
    with pytest.raises(TypeError, match=rf"optimizer must be an optimizer of pynet.optim, got {type(wrong).__name__}"):
        make(wrong)


@each_schedule
@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s.pop("lr"),
        lambda s: s.update(other=1),
        lambda s: s.update(lr=-1),
        lambda s: s.update(base_lr=np.nan),
        lambda s: s.update(last_epoch=1.5),
        lambda s: s.update(last_epoch=-1),
    ],
)
def test_a_wrong_state_changes_nothing(make, spoil):
    schedule = make(sgd())
    before = schedule.state_dict(), repr(schedule)
    state = make(sgd(0.7)).state_dict()
    spoil(state)
    with pytest.raises((ValueError, TypeError), match=r"state has|lr must|last_epoch must"):
        schedule.load_state_dict(state)
    assert (schedule.state_dict(), repr(schedule)) == before


@pytest.mark.parametrize(
    ("make", "spoil", "text"),
    [
        (ReduceLROnPlateau, lambda s: s.update(best="low"), "best must be a number"),
        (ReduceLROnPlateau, lambda s: s.update(num_bad_epochs=-1), "num_bad_epochs must be"),
        (ReduceLROnPlateau, lambda s: s.update(cooldown_counter=None), "cooldown_counter must be"),
        (warm_up, lambda s: s["schedulers"].pop(), "state has 2 schedulers, expected 3"),
        (warm_up, lambda s: s["schedulers"][2].update(last_epoch=-1), "last_epoch must be"),
        (lambda o: OneCycleLR(o, 1, 9), lambda s: s.update(last_epoch=10), "has 9 steps, and this is step 10"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(make, spoil, text):
    schedule, other = make(sgd()), make(sgd(0.7))
    advance(other, [1, 2])
    before, state = schedule.state_dict(), other.state_dict()
    spoil(state)
    with pytest.raises((ValueError, TypeError), match=text):
        schedule.load_state_dict(state)
    assert schedule.state_dict() == before


def test_a_step_that_fails_changes_nothing():
    schedule = LambdaLR(sgd(), lambda epoch: 2 - epoch)
    assert rates(schedule, 2) == [0.2, 0.1, 0]
    for _ in range(2):
        with pytest.raises(ValueError, match=r"lr_lambda\(3\) must be .* got -1"):
            schedule.step()
    assert (schedule.last_epoch, schedule.optimizer.lr) == (2, 0)
