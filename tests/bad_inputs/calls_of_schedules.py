"""Schedules under wrong arguments."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from calls_of_layers import network
from calls_of_optim import in_use, sgd
from wrong_calls import Call, function, method
from wrong_values import (
    AT_LEAST_ZERO,
    FINITE,
    FRACTION,
    NO_MAPPING,
    NO_NUMBER,
    POSITIVE,
    SHARE,
    made,
    nan,
    sizes,
    without_none,
    wrong,
)

import pynet
from pynet.optim import lr_scheduler as schedules

CALLS: list[Call] = []

NO_OPTIMIZER = [
    *wrong(TypeError, "{} must be an optimizer", none=None, number=0.1, a_class=pynet.optim.SGD),
    *made(TypeError, "{} must be an optimizer", model=network),
]
optimizer = partial(in_use, sgd)
ATOMS: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": (2, sizes(1)), "gamma": (0.5, AT_LEAST_ZERO)},
    "ExponentialLR": {"gamma": (0.5, AT_LEAST_ZERO)},
    "MultiStepLR": {
        "milestones": (
            [1, 3],
            wrong(TypeError, "{} must be a list of ints, got", none=None, number=3)
            + wrong(TypeError, r"{}\[1\] must be an int", text=[1, "3"], float=[1, 3.5], true=[1, True])
            + wrong(ValueError, r"{}\[0\] must be from", negative=[-1, 3], huge=[2**40, 3]),
        ),
        "gamma": (0.5, AT_LEAST_ZERO),
    },
    "CosineAnnealingLR": {"T_max": (5, sizes(1)), "eta_min": (0.0, AT_LEAST_ZERO)},
    "LinearLR": {
        "start_factor": (0.5, FINITE + wrong(ValueError, "{} must be", zero=0, negative=-0.5, above_one=1.5)),
        "end_factor": (1.0, SHARE),
        "total_iters": (5, sizes(1)),
    },
    "LambdaLR": {
        "lr_lambda": (
            lambda epoch: 0.5,
            wrong(TypeError, "{} must be a function", none=None, number=0.5, text="epoch")
            + wrong(TypeError, r"{}\(0\) must be a number", returns_none=lambda epoch: None, returns_text=str)
            + wrong(ValueError, r"{}\(0\) must be", returns_nan=lambda epoch: nan, returns_negative=lambda epoch: -1.0),
        )
    },
    "OneCycleLR": {
        "max_lr": (0.5, AT_LEAST_ZERO),
        "total_steps": (10, without_none(sizes(1))),
        "pct_start": (0.3, SHARE),
        "anneal_strategy": (
            "cos",
            wrong(
                ValueError, "{} must be one of 'cos', 'linear'", none=None, text="sin", array=np.array(["cos", "cos"])
            ),
        ),
        "base_momentum": (0.8, FRACTION),
        "max_momentum": (0.9, FRACTION),
        "div_factor": (25.0, POSITIVE),
        "final_div_factor": (1e4, POSITIVE),
    },
    "ReduceLROnPlateau": {
        "mode": ("min", wrong(ValueError, "{} must be one of 'min', 'max'", none=None, text="auto", number=1)),
        "factor": (0.1, FRACTION),
        "patience": (3, sizes()),
        "threshold": (0.1, AT_LEAST_ZERO),
        "threshold_mode": ("rel", wrong(ValueError, "{} must be one of 'rel', 'abs'", none=None, text="relative")),
        "cooldown": (0, sizes()),
        "min_lr": (0.0, AT_LEAST_ZERO),
        "eps": (0.0, AT_LEAST_ZERO),
    },
}


def schedule_in_use(name: str) -> Any:
    """A schedule that has made two steps."""
    arguments = {key: right for key, (right, _) in ATOMS[name].items()}
    schedule = getattr(schedules, name)(optimizer(), **arguments)
    for _ in range(2):
        schedule.step(*([1.0] if name == "ReduceLROnPlateau" else []))
    return schedule


def constructed(cls: Any, optimizer: Any, **options: Any) -> Any:
    """A schedule of this optimizer."""
    return cls(optimizer, **options)


def constructed_alone(cls: Any, _: Any, **options: Any) -> Any:
    """A schedule of the optimizer among the options."""
    return cls(**options)


for name, atoms in ATOMS.items():
    CALLS.append(
        Call(
            f"optim.lr_scheduler.{name}",
            optimizer,
            partial(constructed, getattr(schedules, name)),
            lambda atoms=atoms: {key: right for key, (right, _) in atoms.items()},
            {key: values for key, (_, values) in atoms.items()},
        )
    )
    CALLS.append(
        Call(
            f"optim.lr_scheduler.{name}",
            lambda: None,
            partial(constructed_alone, getattr(schedules, name)),
            lambda atoms=atoms: {"optimizer": optimizer()} | {key: right for key, (right, _) in atoms.items()},
            {"optimizer": NO_OPTIMIZER},
            variant="optimizer",
        )
    )

    def state(name: str = name, **entries: Any) -> dict[str, Any]:
        return schedule_in_use(name).state_dict() | entries

    CALLS.append(
        method(
            partial(schedule_in_use, name),
            "load_state_dict",
            lambda state=state: {"state": state()},
            wrong={
                "state": [
                    *NO_MAPPING,
                    *made(ValueError, "{} has .*expected", empty=dict, more=lambda state=state: state(more=1)),
                    *made(TypeError, "last_epoch must be an int", epoch=lambda state=state: state(last_epoch=1.5)),
                    *made(ValueError, "last_epoch must be from", negative=lambda state=state: state(last_epoch=-1)),
                    *made(TypeError, "base_lr must be a number", base=lambda state=state: state(base_lr=None)),
                    *made(ValueError, "base_lr must be", base_nan=lambda state=state: state(base_lr=nan)),
                    *made(ValueError, "last_lr must be", last_negative=lambda state=state: state(last_lr=-1)),
                    *made(TypeError, "lr must be a number", lr_text=lambda state=state: state(lr="0.1")),
                    *made(ValueError, "lr must be", lr_inf=lambda state=state: state(lr=np.inf)),
                ]
            },
            owner="LRScheduler",
            variant=name,
        )
    )
    CALLS += [
        method(
            partial(schedule_in_use, name),
            "lr_at",
            lambda: {"epoch": 1},
            wrong={"epoch": wrong(TypeError, "", text="1", list=[1])},
            owner=name,
        )
        for _ in range(name not in ("ReduceLROnPlateau", "LambdaLR"))
    ]


def optimizer_with_schedules() -> Any:
    """An optimizer, and two schedules of it."""
    made_first = optimizer()
    return SimpleNamespace(
        optimizer=made_first, parts=[schedules.StepLR(made_first, 2), schedules.StepLR(made_first, 3)]
    )


CALLS += [
    method(
        lambda: schedules.SequentialLR((pair := optimizer_with_schedules()).optimizer, pair.parts, [4]),
        "lr_at",
        lambda: {"epoch": 1},
        wrong={"epoch": wrong(TypeError, "", text="1", list=[1])},
    ),
    method(
        partial(schedule_in_use, "ReduceLROnPlateau"), "step", lambda: {"metrics": 1.0}, wrong={"metrics": NO_NUMBER}
    ),
    function(
        "optim.lr_scheduler.LRScheduler",
        schedules.StepLR,
        lambda: {"optimizer": optimizer(), "step_size": 3},
        wrong={"optimizer": NO_OPTIMIZER},
    ),
    Call(
        "optim.lr_scheduler.OneCycleLR",
        optimizer,
        lambda subject, **length: schedules.OneCycleLR(subject, 0.5, **length),
        lambda: {"epochs": 2, "steps_per_epoch": 5},
        {
            "epochs": [*without_none(sizes(1)), *wrong(ValueError, "the cycle has no length", none=None)],
            "steps_per_epoch": [*without_none(sizes(1)), *wrong(ValueError, "the cycle has no length", none=None)],
        },
        variant="epochs",
    ),
    Call(
        "optim.lr_scheduler.OneCycleLR",
        lambda: None,
        lambda subject, optimizer: schedules.OneCycleLR(optimizer, 0.5, 10),
        lambda: {"optimizer": optimizer()},
        {"optimizer": made(ValueError, "{} must have momentum or betas", without=lambda: _Plain(network(), 0.1))},
        variant="without momentum",
    ),
    Call(
        "optim.lr_scheduler.SequentialLR",
        optimizer_with_schedules,
        lambda subject, milestones, schedulers="its own": schedules.SequentialLR(
            subject.optimizer, subject.parts if schedulers == "its own" else schedulers, milestones
        ),
        lambda: {"milestones": [4]},
        {
            "schedulers": [
                *wrong(TypeError, "{} must be a list of schedules", none=None, number=5),
                *wrong(ValueError, "{} must have at least one schedule", empty=[]),
                *wrong(TypeError, r"{}\[0\] must be a schedule", text="ab", numbers=[1, 2], nones=[None, None]),
                *made(
                    ValueError,
                    r"{}\[0\] must be of the same optimizer",
                    of_another=lambda: [schedules.StepLR(optimizer(), 2), schedules.StepLR(optimizer(), 2)],
                ),
                *made(
                    ValueError,
                    r"{}\[0\] is a ReduceLROnPlateau",
                    plateau=lambda: [schedules.ReduceLROnPlateau(optimizer()), schedules.StepLR(optimizer(), 2)],
                ),
            ],
            "milestones": [
                *wrong(TypeError, "{} must be a list of ints", none=None, number=5),
                *wrong(TypeError, r"{}\[0\] must be an int", text="4", float=[4.5], true=[True]),
                *wrong(ValueError, r"{}\[0\] must be from", negative=[-1], huge=[2**40]),
                *wrong(ValueError, "{} must be one fewer than schedulers", empty=[], two=[1, 2]),
            ],
        },
    ),
]


class _Plain(pynet.optim.Optimizer):
    """An optimizer without momentum."""

    def _move(self, parameters, grads, buffers, steps):
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter -= self.lr * grad
