"""Optimizers, schedules, clipping and averages under wrong arguments."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from calls_of_layers import network
from wrong_calls import Call, attribute, function, method
from wrong_values import (
    AT_LEAST_ZERO,
    FINITE,
    FRACTION,
    NEGATIVE,
    NO_MAPPING,
    NO_MODULE,
    NO_NUMBER,
    NOT_A_NUMBER,
    POSITIVE,
    SHARE,
    TOO_LARGE,
    made,
    nan,
    sizes,
    without_none,
    wrong,
)

import pynet
from pynet.optim import lr_scheduler as schedules

sgd = partial(pynet.optim.SGD, lr=0.1, momentum=0.9)
adam, adam_w = partial(pynet.optim.Adam, lr=0.1), partial(pynet.optim.AdamW, lr=0.1)


def in_use(make: Any) -> Any:
    """An optimizer that has made two steps."""
    optimizer = make(network())
    optimizer.step()
    optimizer.step()
    return optimizer


BETAS = [
    *wrong(
        TypeError, "{} must be two numbers, got", none=None, number=0.9, one=(0.9,), three=(0.9, 0.9, 0.9), empty=()
    ),
    *wrong(TypeError, r"{}\[0\] must be a number", text="ab", nones=(None, None), true=(True, 0.9), list=([0.9], 0.9)),
    *wrong(TypeError, r"{}\[1\] must be a number", second_text=(0.9, "0.999"), second_none=(0.9, None)),
    *wrong(ValueError, r"{}\[0\] must be", nan=(nan, 0.9), one_and=(1, 0.9), negative=(-0.1, 0.9), inf=(np.inf, 0.9)),
    *wrong(ValueError, r"{}\[1\] must be", second_nan=(0.9, nan), second_one=(0.9, 1.0), second_negative=(0.9, -1)),
]
SGD_OPTIONS = {"lr": AT_LEAST_ZERO, "momentum": AT_LEAST_ZERO, "dampening": FINITE, "weight_decay": AT_LEAST_ZERO}
ADAM_OPTIONS = {"lr": AT_LEAST_ZERO, "betas": BETAS, "eps": AT_LEAST_ZERO, "weight_decay": AT_LEAST_ZERO}
RIGHT_SGD = {"lr": 0.1, "momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1}
RIGHT_ADAM = {"lr": 0.1, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.1}
OPTIMIZERS = [
    (pynet.optim.SGD, sgd, SGD_OPTIONS, RIGHT_SGD, "momentum_buffer"),
    (pynet.optim.Adam, adam, ADAM_OPTIONS, RIGHT_ADAM, "exp_avg_sq"),
    (pynet.optim.AdamW, adam_w, ADAM_OPTIONS, RIGHT_ADAM, "exp_avg"),
]


def states_that_do_not_fit(make: Any, options: Any, buffer: str) -> list[Any]:
    """Optimizer states with one thing wrong in each."""

    def state(**entries: Any) -> dict[str, Any]:
        return in_use(make).state_dict() | entries

    def kept(name: str = "0.weight", **entries: Any) -> dict[str, Any]:
        all_kept = in_use(make).state_dict()["state"]
        return state(state=all_kept | {name: all_kept["0.weight"] | entries})

    def lacking(name: str) -> dict[str, Any]:
        return {key: value for key, value in state().items() if key != name}

    def lacking_in_kept(name: str) -> dict[str, Any]:
        all_kept = in_use(make).state_dict()["state"]
        return state(state=all_kept | {"0.weight": {k: v for k, v in all_kept["0.weight"].items() if k != name}})

    rows = [
        *made(ValueError, "{} has .*expected", empty=dict, no_lr=lambda: lacking("lr"), more=lambda: state(more=1)),
        *made(ValueError, "{} has .*expected", no_state=lambda: lacking("state")),
        *made(TypeError, "state", state_none=lambda: state(state=None), state_list=lambda: state(state=[1])),
        *made(TypeError, "0.weight", kept_none=lambda: state(state={"0.weight": None})),
        *made(ValueError, "'9.weight', which is no parameter", unknown_name=lambda: kept("9.weight")),
        *made(
            ValueError,
            "of '0.weight' has .*expected",
            no_buffer=lambda: lacking_in_kept(buffer) if buffer != "momentum_buffer" else kept(odd=1),
        ),
        *made(ValueError, "of '0.weight' has .*expected", no_step=lambda: lacking_in_kept("step")),
        *made(ValueError, "of '0.weight' has .*expected", more_kept=lambda: kept(another=np.ones(2))),
        *made(TypeError, "step must be an int", step_float=lambda: kept(step=1.5), step_none=lambda: kept(step=None)),
        *made(ValueError, "step must be from", step_negative=lambda: kept(step=-1), step_huge=lambda: kept(step=2**70)),
        *made(
            pynet.ShapeError,
            rf"{buffer} of '0.weight' has shape .*, expected \(6, 4\)",
            transposed=lambda: kept(**{buffer: np.ones((4, 6))}),
            buffer_number=lambda: kept(**{buffer: 1.0}),
            row=lambda: kept(**{buffer: np.ones((1, 4))}),
        ),
        *made(
            TypeError,
            rf"{buffer} of '0.weight' (must be an array|is a masked array)",
            complex=lambda: kept(**{buffer: np.ones((6, 4), complex)}),
            buffer_none=lambda: kept(**{buffer: None}),
            buffer_text=lambda: kept(**{buffer: "text"}),
            masked=lambda: kept(**{buffer: np.ma.masked_array(np.ones((6, 4)))}),
        ),
    ]
    for name, values in options.items():
        for value in (values[0], *values[-6::2]):  # which the constructor is tried with in full
            says = value.says.replace("{}", name)
            rows.append(value._replace(name=f"{name}_{value.name}", make=partial(_with, state, name, value), says=says))
    return rows


def _with(state: Any, name: str, value: Any) -> Any:
    return state(**{name: value.make()})


CALLS: list[Call] = []
for cls, make, options, right, buffer in OPTIMIZERS:
    ready = partial(in_use, make)
    CALLS.append(
        function(
            f"optim.{cls.__name__}",
            cls,
            lambda right=right: {"model": network()} | right,
            wrong={"model": NO_MODULE} | options,
        )
    )
    CALLS += [attribute(ready, name, partial(right.get, name), values) for name, values in options.items()]
    CALLS.append(
        method(
            ready,
            "load_state_dict",
            lambda ready=ready: {"state": ready().state_dict()},
            wrong={"state": NO_MAPPING + states_that_do_not_fit(make, options, buffer)},
            owner="Optimizer",
            variant=cls.__name__,
        )
    )
CALLS.append(attribute(partial(in_use, sgd), "lr", lambda: 0.5, AT_LEAST_ZERO, owner="Optimizer"))
CALLS.append(
    function(
        "optim.Optimizer",
        pynet.optim.Optimizer,
        lambda: {"model": network(), "lr": 0.1},
        wrong={"model": NO_MODULE, "lr": AT_LEAST_ZERO},
    )
)
CALLS.append(
    Call(
        "optim.SGD",
        network,
        lambda subject, **options: pynet.optim.SGD(subject, nesterov=True, **options),
        lambda: {"momentum": 0.9, "dampening": 0.0},
        {
            "momentum": wrong(ValueError, "nesterov needs a momentum", none_at_all=0.0),
            "dampening": wrong(ValueError, "nesterov needs .* no dampening", some=0.5),
        },
        variant="nesterov",
    )
)

# ---------------------------------------------------------------------------------------- clipping and averages

LIMIT = [
    *NO_NUMBER,
    *NOT_A_NUMBER,
    *NEGATIVE,
    *TOO_LARGE,
    *wrong(ValueError, "{} must be .*got -inf", minus_inf=-np.inf),
]


def ema_in_use() -> Any:
    """An average of three steps."""
    average = pynet.optim.EMA(network(), 0.5)
    for _ in range(3):
        average.model.parameters()[0][...] += 1
        average.update()
    return average


def ema_state(**entries: Any) -> dict[str, Any]:
    return ema_in_use().state_dict() | entries


def averages(name: str, value: Any) -> dict[str, Any]:
    return ema_state(averages=ema_in_use().state_dict()["averages"] | {name: value})


EMA_STATES = [
    *made(ValueError, "{} has .*expected", empty=dict, more=lambda: ema_state(more=1)),
    *made(
        TypeError,
        "decay must be a number",
        decay_none=lambda: ema_state(decay=None),
        decay_text=lambda: ema_state(decay="1"),
    ),
    *made(ValueError, "decay must be", decay_two=lambda: ema_state(decay=2), decay_nan=lambda: ema_state(decay=nan)),
    *made(TypeError, "num_updates must be an int", updates_float=lambda: ema_state(num_updates=1.5)),
    *made(ValueError, "num_updates must be from", updates_negative=lambda: ema_state(num_updates=-1)),
    *made(
        TypeError,
        "averages must be",
        averages_none=lambda: ema_state(averages=None),
        averages_list=lambda: ema_state(averages=[1]),
    ),
    *made(ValueError, "'9.weight'", unknown=lambda: averages("9.weight", np.ones(2))),
    *made(ValueError, "'0.weight'", missing=lambda: ema_state(averages={})),
    *made(pynet.ShapeError, "0.weight.*shape", transposed=lambda: averages("0.weight", np.ones((4, 6)))),
    *made(
        TypeError,
        "0.weight",
        complex=lambda: averages("0.weight", np.ones((6, 4), complex)),
        average_none=lambda: averages("0.weight", None),
    ),
]

CALLS += [
    function(
        "optim.clip_grad_norm_",
        pynet.optim.clip_grad_norm_,
        lambda: {"model": network(), "max_norm": 0.1, "norm_type": 2},
        wrong={
            "model": NO_MODULE,
            "max_norm": LIMIT,
            "norm_type": [*LIMIT, *wrong(ValueError, "{} must be above 0", zero=0, minus_zero=-0.0)],
        },
    ),
    function(
        "optim.clip_grad_value_",
        pynet.optim.clip_grad_value_,
        lambda: {"model": network(), "clip_value": 0.1},
        wrong={"model": NO_MODULE, "clip_value": LIMIT},
    ),
    function(
        "optim.EMA",
        pynet.optim.EMA,
        lambda: {"model": network(), "decay": 0.9},
        wrong={"model": NO_MODULE, "decay": SHARE},
    ),
    attribute(ema_in_use, "decay", lambda: 0.5, SHARE),
    method(ema_in_use, "load_state_dict", lambda: {"state": ema_state()}, wrong={"state": NO_MAPPING + EMA_STATES}),
]

# ----------------------------------------------------------------------------------------------------- schedules

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
