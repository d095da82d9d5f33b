"""The same numbers as PyTorch: every schedule's learning rates and momenta, clipped gradients, averaged parameters."""

import numpy as np
import pytest

import pynet
from pynet.optim import lr_scheduler as ours

torch = pytest.importorskip("torch")
theirs = torch.optim.lr_scheduler
averaging = torch.optim.swa_utils
torch.set_num_threads(1)

OPTIMIZERS = [("SGD", {"momentum": 0.5}), ("Adam", {}), ("AdamW", {"betas": (0.5, 0.7)})]
each_optimizer = pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=[name for name, _ in OPTIMIZERS])


def pair(name="SGD", lr=0.3, **options):
    """The same optimizer twice: ours, and PyTorch's after a step, for it warns of schedules that come before one."""
    theirs = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(1))], lr=lr, **options)
    theirs.step()
    return getattr(pynet.optim, name)(pynet.Linear(1, 1), lr=lr, **options), theirs


def values(optimizer):
    """The learning rate, and the momentum or betas."""
    found = getattr(optimizer, "param_groups", [vars(optimizer)])[0]
    return [found["lr"], *found.get("betas", [found.get("momentum")])]


def compare(mine, their, make, steps, atol=1e-16, metrics=None):
    """Both after every step; ``make`` takes an optimizer and where schedules come from."""
    schedule, reference = make(mine, ours), make(their, theirs)
    their._opt_called = True
    for step in range(steps + 1):
        np.testing.assert_allclose(values(mine), values(their), rtol=1e-12, atol=atol, err_msg=f"step {step}")
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12, atol=atol)
        assert schedule.last_epoch == reference.last_epoch == step
        if step < steps:
            argument = () if metrics is None else (metrics[step],)
            schedule.step(*argument)
            reference.step(*argument)


def row(name, *arguments, **options):
    written = [repr(a) for a in arguments] + [f"{key}={value!r}" for key, value in options.items()]
    return pytest.param(
        lambda optimizer, source: getattr(source, name)(optimizer, *arguments, **options),
        id=f"{name}({', '.join(written)})".replace("<", "").replace(">", ""),
    )


SCHEDULES = [
    row("StepLR", 7),
    row("StepLR", 1, 0.9),
    row("StepLR", step_size=30, gamma=1.5),
    row("StepLR", 10, gamma=0),
    row("MultiStepLR", [10, 50, 80]),
    row("MultiStepLR", [80, 10, 10], 0.5),
    row("MultiStepLR", milestones=[0, 100], gamma=0.3),
    row("ExponentialLR", 0.95),
    row("ExponentialLR", gamma=1.01),
    row("ExponentialLR", 0),
    row("LinearLR"),
    row("LinearLR", 0.01, 0.5, 70),
    row("LinearLR", start_factor=1, end_factor=0.1, total_iters=100),
    row("LambdaLR", lambda epoch: 1 / (1 + epoch)),
    row("LambdaLR", lr_lambda=lambda epoch: 0.95**epoch),
]
# Near 0 PyTorch's values, each made from the one before, are wrong by more than their last digits.
NEAR_ZERO = [
    row("CosineAnnealingLR", 10),
    row("CosineAnnealingLR", 100),
    row("CosineAnnealingLR", 1, 0.1),
    row("CosineAnnealingLR", T_max=33, eta_min=0.01),
    row("CosineAnnealingLR", 33, 0.5),
    row("LinearLR", 1, 0, 60),
]


@each_optimizer
@pytest.mark.parametrize("make", SCHEDULES)
def test_that_a_hundred_steps_equal_pytorchs(make, name, options):
    compare(*pair(name, **options), make, 100)


@each_optimizer
@pytest.mark.parametrize("make", NEAR_ZERO)
def test_that_a_hundred_steps_that_come_near_zero_equal_pytorchs(make, name, options):
    compare(*pair(name, **options), make, 100, atol=1e-14)


@each_optimizer
@pytest.mark.parametrize("shape", ["cos", "linear"])
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [
        {"total_steps": 100},
        {"total_steps": 7, "pct_start": 0.0},
        {"total_steps": 3, "div_factor": 2},
        {"epochs": 10, "steps_per_epoch": 9, "pct_start": 0.45, "cycle_momentum": False},
        {"total_steps": 50, "pct_start": 0.45, "base_momentum": 0.1, "max_momentum": 0.2},
        {"total_steps": 40, "pct_start": 0.7, "div_factor": 3.0, "final_div_factor": 7.0},
        {"total_steps": 9, "epochs": 10, "steps_per_epoch": 10, "max_momentum": 0.5, "base_momentum": 0.8},
    ],
    ids=str,
)
def test_that_one_cycle_equals_pytorchs(arguments, three_phase, shape, name, options):
    total = arguments.get("total_steps", 90)
    compare(
        *pair(name, **options),
        lambda o, source: source.OneCycleLR(o, 0.7, anneal_strategy=shape, three_phase=three_phase, **arguments),
        total if shape == "cos" else total - 1,  # at the last, PyTorch's line goes on below 0
    )


METRICS = np.random.default_rng(3).normal(1, 0.2, 100).cumsum()[::-1] / 50 + np.random.default_rng(4).normal(
    0, 0.1, 100
)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"patience": 2},
        {"patience": 0, "factor": 0.9},
        {"patience": 2, "cooldown": 3, "factor": 0.7},
        {"patience": 1, "threshold": 0.1, "factor": 0.5},
        {"patience": 1, "threshold": 0.1, "threshold_mode": "abs", "factor": 0.5},
        {"patience": 1, "min_lr": 0.01, "factor": 0.5},
        {"patience": 1, "eps": 0.02, "factor": 0.5},
        {"patience": 3, "cooldown": 1, "factor": 0.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("metrics", [METRICS, -METRICS, np.r_[np.nan, np.inf, METRICS]], ids=["down", "up", "odd"])
def test_that_a_plateau_lowers_the_rate_as_pytorchs(arguments, mode, metrics):
    compare(*pair(momentum=0.5), lambda o, source: source.ReduceLROnPlateau(o, mode, **arguments), 100, metrics=metrics)


@pytest.mark.parametrize(
    "make",
    [
        lambda o, s: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=10), s.CosineAnnealingLR(o, 90)], [10]),
        lambda o, s: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=10), s.ExponentialLR(o, 0.9)], [10]),
        lambda o, s: s.SequentialLR(o, [s.LinearLR(o, total_iters=30), s.StepLR(o, 10)], milestones=[20]),
        lambda o, s: s.SequentialLR(o, [s.LinearLR(o), s.CosineAnnealingLR(o, 20), s.ExponentialLR(o, 0.95)], [8, 25]),
        lambda o, s: s.SequentialLR(o, [s.StepLR(o, 3), s.MultiStepLR(o, [0, 5]), s.LambdaLR(o, np.sqrt)], [7, 50]),
        lambda o, s: s.SequentialLR(o, [s.ExponentialLR(o, 0.9), s.StepLR(o, 3), s.LinearLR(o)], [30, 30]),
        lambda o, s: s.SequentialLR(o, [s.ExponentialLR(o, 0.9), s.StepLR(o, 3)], [0]),
        lambda o, s: s.SequentialLR(o, [s.ExponentialLR(o, 0.9)], []),
    ],
)
def test_that_schedules_in_sequence_equal_pytorchs(make):
    compare(*pair(momentum=0.5), make, 100, atol=1e-14)


def networks(dtype):
    """The same network twice, with the same gradients."""
    kind = getattr(torch, np.dtype(dtype).name)
    nn = torch.nn
    theirs = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)).to(kind)
    ours = pynet.Sequential(pynet.Linear(4, 6), pynet.BatchNorm(6), pynet.Linear(6, 3)).astype(dtype)
    ours.load_state_dict(theirs.state_dict())
    for gradient, parameter in zip(ours.grad_parameters(), theirs.parameters(), strict=True):
        gradient[...] = np.random.normal(size=gradient.shape)
        parameter.grad = torch.tensor(gradient)
    return ours, theirs


both_dtypes = pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])


@both_dtypes
@pytest.mark.parametrize("spoiled", [None, np.inf, np.nan])
@pytest.mark.parametrize("order", [2, 1, 0.5, 3.5, np.inf])
@pytest.mark.parametrize("max_norm", [0, 0.1, 5, 1e4])
def test_that_clipped_norms_equal_pytorchs(max_norm, order, spoiled, dtype, rtol):
    ours, theirs = networks(dtype)
    if spoiled is not None:
        ours[0].grad_W[0, 0] = theirs[0].weight.grad[0, 0] = spoiled
    norm = pynet.optim.clip_grad_norm_(ours, max_norm, order)
    np.testing.assert_allclose(norm, torch.nn.utils.clip_grad_norm_(theirs.parameters(), max_norm, order), rtol=rtol)
    for gradient, parameter in zip(ours.grad_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(gradient, parameter.grad, rtol=rtol)


@both_dtypes
@pytest.mark.parametrize("limit", [0, 0.1, 1, 100])
def test_that_clipped_values_equal_pytorchs(limit, dtype, rtol):
    ours, theirs = networks(dtype)
    ours[0].grad_W[0, 0] = theirs[0].weight.grad[0, 0] = np.nan
    pynet.optim.clip_grad_value_(ours, limit)
    torch.nn.utils.clip_grad_value_(theirs.parameters(), limit)
    for gradient, parameter in zip(ours.grad_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(gradient, parameter.grad)


@both_dtypes
@pytest.mark.parametrize("decay", [0.0, 0.3, 0.999, 1.0])
def test_that_averages_equal_pytorchs(decay, dtype, rtol):
    ours, theirs = networks(dtype)
    ema = pynet.optim.EMA(ours, decay)
    average = averaging.AveragedModel(theirs, multi_avg_fn=averaging.get_ema_multi_avg_fn(decay), use_buffers=True)
    for _ in range(20):
        for array in theirs.state_dict().values():
            if array.is_floating_point():
                array.copy_(torch.tensor(np.random.normal(size=array.shape)))
        ours.load_state_dict(theirs.state_dict())
        ema.update()
        average.update_parameters(theirs)
    with ema.averaged():
        for name, array in average.module.state_dict().items():
            np.testing.assert_allclose(ours.state_dict()[name], array, rtol=rtol, atol=rtol)
