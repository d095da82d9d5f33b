"""Parameter groups under wrong arguments."""

from typing import Any

import numpy as np
from calls_of_layers import network
from wrong_calls import Call, method
from wrong_values import NO_MAPPING, Wrong, made, nan, wrong

import pynet


def group(**entries: Any) -> list[dict[str, Any]]:
    return [{"parameters": "*.bias"} | entries]


GROUPS = [
    *wrong(
        TypeError, "{} must be a list of dicts, got", none=None, number=5, text="*.bias", a_dict={"parameters": "*"}
    ),
    *wrong(TypeError, r"{}\[0\] must be a dict, got", texts=["*.bias"], nones=[None], arrays=[np.ones(2)]),
    *wrong(TypeError, r"{}\[1\] must be a dict, got", second=[*group(), 5]),
    *wrong(
        ValueError,
        r"{}\[0\] has .*expected 'parameters' and 'lr' or 'weight_decay'",
        empty=[{}],
        no_parameters=[{"lr": 0.1}],
        unknown=group(momentum=0.9),
        pytorchs=[{"params": "*"}],
        odd=[{"parameters": "*", 5: 5}],
    ),
    *wrong(
        TypeError,
        r"{}\[0\]\['parameters'\] must be a module, a pattern or a list of these",
        parameters_none=[{"parameters": None}],
        parameters_number=[{"parameters": 5}],
        parameters_class=[{"parameters": pynet.Linear}],
        parameters_array=[{"parameters": np.ones((6, 4))}],
        parameters_nested=[{"parameters": [["*"]]}],
    ),
    *wrong(ValueError, r"{}\[0\]\['parameters'\] is empty", parameters_empty=[{"parameters": []}]),
    *wrong(
        ValueError,
        r"{}\[0\]\['parameters'\]: no parameter for '.*', there are 0.weight, 0.bias",
        nothing=[{"parameters": "bias"}],
        nothing_second=[{"parameters": ["*.bias", "9.*"]}],
        upper_case=[{"parameters": "*.BIAS"}],
        nothing_at_all=[{"parameters": ""}],
    ),
    *made(
        ValueError,
        r"{}\[0\]\['parameters'\]: Linear\(4, 6\) is no module of the model",
        a_stranger=lambda: [{"parameters": pynet.Linear(4, 6)}],
    ),
    *wrong(TypeError, r"{}\[0\]\['lr'\] must be a number", lr_text=group(lr="0.1"), lr_none=group(lr=None)),
    *wrong(ValueError, r"{}\[0\]\['lr'\] must be", lr_negative=group(lr=-1), lr_nan=group(lr=nan)),
    *wrong(TypeError, r"{}\[0\]\['weight_decay'\] must be a number", decay_list=group(weight_decay=[0.1])),
    *wrong(ValueError, r"{}\[0\]\['weight_decay'\] must be", decay_inf=group(weight_decay=np.inf)),
]

NAMES = ("SGD", "Adam", "AdamW", "NAdam", "RMSprop", "Adagrad", "Adadelta")


def construct(cls: type) -> Call:
    return Call(
        f"optim.{cls.__name__}",
        network,
        lambda subject, **arguments: cls(subject, **arguments),
        lambda: {"groups": group(lr=0.1, weight_decay=0)},
        {"groups": GROUPS if cls is pynet.optim.SGD else GROUPS[:3]},
        variant="groups",
    )


def in_use() -> Any:
    """An optimizer with groups that has made a step."""
    optimizer = pynet.optim.Adam(network(), groups=group(lr=0.1))
    optimizer.step()
    return optimizer


def state(**entries: Any) -> dict[str, Any]:
    good = in_use().state_dict()
    return good | {"groups": [good["groups"][0] | entries]}


STATES: list[Wrong] = [
    *made(ValueError, "{} has .*expected", no_groups=lambda: {k: v for k, v in state().items() if k != "groups"}),
    *made(
        ValueError,
        r"\['groups'\] must be a list of 1 groups",
        groups_none=lambda: state() | {"groups": None},
        groups_many=lambda: state() | {"groups": state()["groups"] * 2},
    ),
    *made(TypeError, r"\['groups'\]\[0\]", group_none=lambda: state() | {"groups": [None]}),
    *made(ValueError, r"\['groups'\]\[0\] has the parameters", others=lambda: state(parameters=["0.weight"])),
    *made(TypeError, r"parameters of .*\['groups'\]\[0\]", names_none=lambda: state(parameters=None)),
    *made(ValueError, "lr_ratio of .*must be", ratio_nan=lambda: state(lr_ratio=nan)),
    *made(TypeError, "weight_decay of .*must be a number", decay_text=lambda: state(weight_decay="0")),
]

CALLS = [construct(getattr(pynet.optim, name)) for name in NAMES] + [
    method(
        in_use,
        "load_state_dict",
        lambda: {"state": state()},
        wrong={"state": NO_MAPPING + STATES},
        owner="Optimizer",
        variant="groups",
    ),
    Call(
        "optim.SGD",
        network,
        lambda subject, lr: pynet.optim.SGD(subject, lr, groups=group(lr=0.1)),
        lambda: {"lr": 0.1},
        {"lr": wrong(ValueError, r"groups\[0\] has an lr.*must not be 0", zero=0)},
        variant="lr beside groups",
    ),
]
