"""Optimizers, schedules, clipping and averages under wrong arguments."""

from functools import partial
from typing import Any

import numpy as np
from calls_of_layers import network
from wrong_calls import Call, attribute, function, method
from wrong_values import (
    AT_LEAST_ZERO,
    FINITE,
    NEGATIVE,
    NO_MAPPING,
    NO_MODULE,
    NO_NUMBER,
    NOT_A_NUMBER,
    SHARE,
    TOO_LARGE,
    made,
    nan,
    wrong,
)

import pynet

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
RMSPROP_OPTIONS = {
    "lr": AT_LEAST_ZERO,
    "alpha": SHARE,
    "eps": AT_LEAST_ZERO,
    "weight_decay": AT_LEAST_ZERO,
    "momentum": AT_LEAST_ZERO,
}
ADAGRAD_OPTIONS = dict.fromkeys(("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"), AT_LEAST_ZERO)
ADADELTA_OPTIONS = {"lr": AT_LEAST_ZERO, "rho": SHARE, "eps": AT_LEAST_ZERO, "weight_decay": AT_LEAST_ZERO}
OPTIMIZERS = [
    (
        pynet.optim.RMSprop,
        partial(pynet.optim.RMSprop, lr=0.1, momentum=0.9, centered=True),
        RMSPROP_OPTIONS,
        dict.fromkeys(RMSPROP_OPTIONS, 0.5),
        "square_avg",
    ),
    (
        pynet.optim.Adagrad,
        partial(pynet.optim.Adagrad, lr=0.1),
        ADAGRAD_OPTIONS,
        dict.fromkeys(ADAGRAD_OPTIONS, 0.5),
        "sum",
    ),
    (
        pynet.optim.Adadelta,
        partial(pynet.optim.Adadelta, lr=0.1),
        ADADELTA_OPTIONS,
        dict.fromkeys(ADADELTA_OPTIONS, 0.5),
        "acc_delta",
    ),
    (
        pynet.optim.NAdam,
        partial(pynet.optim.NAdam, lr=0.1),
        ADAM_OPTIONS | {"momentum_decay": AT_LEAST_ZERO},
        RIGHT_ADAM | {"momentum_decay": 0.004},
        "exp_avg",
    ),
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
