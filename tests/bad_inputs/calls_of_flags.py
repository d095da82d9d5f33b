"""Arguments and attributes that are True or False: a text in their place, such as "no", would count as True."""

from functools import partial
from typing import Any

import numpy as np
from wrong_calls import Call, attribute, function, method
from wrong_values import FLAGS

import pynet
from pynet import callbacks, data, optim
from pynet.optim import lr_scheduler

L = pynet.Linear


def flags(name: str, called: Any, right: dict[str, Any], *names: str) -> Call:
    """Return a constructor with the flags that it takes."""
    return function(
        name, called, lambda: right | dict.fromkeys(names, True), wrong=dict.fromkeys(names, FLAGS), variant="flags"
    )


def trainer() -> pynet.Trainer:
    model = L(2, 1, seed=0)
    return pynet.Trainer(model, pynet.MSELoss(), optim.SGD(model, 0.1))


CALLS = [
    flags("Linear", pynet.Linear, {"dim_in": 2, "dim_out": 1}, "bias"),
    flags("BatchNorm", pynet.BatchNorm, {"num_features": 2}, "affine"),
    flags("GroupNorm", pynet.GroupNorm, {"num_groups": 1, "num_channels": 2}, "affine"),
    flags("LayerNorm", pynet.LayerNorm, {"normalized_shape": 2}, "elementwise_affine", "bias"),
    flags("RMSNorm", pynet.RMSNorm, {"normalized_shape": 2}, "elementwise_affine"),
    flags("KLDivLoss", pynet.KLDivLoss, {}, "log_target"),
    flags("PoissonNLLLoss", pynet.PoissonNLLLoss, {}, "log_input", "full"),
    flags("GaussianNLLLoss", pynet.GaussianNLLLoss, {}, "full"),
    flags("optim.SGD", partial(optim.SGD, L(2, 1, seed=0)), {"lr": 0.1, "momentum": 0.9}, "nesterov"),
    flags("optim.RMSprop", partial(optim.RMSprop, L(2, 1, seed=0)), {}, "centered"),
    flags(
        "optim.lr_scheduler.OneCycleLR",
        lambda **options: lr_scheduler.OneCycleLR(optim.Adam(L(2, 1, seed=0)), 0.5, 10, **options),
        {},
        "cycle_momentum",
        "three_phase",
    ),
    flags("callbacks.EarlyStopping", callbacks.EarlyStopping, {}, "restore_best"),
    flags("data.DataLoader", data.DataLoader, {"X": np.ones((4, 2)), "y": np.ones(4)}, "shuffle", "drop_last"),
    flags("compile_predict", partial(pynet.compile_predict, L(2, 1, seed=0)), {}, "freeze"),
    method(
        trainer,
        "fit",
        lambda: {"X": np.ones((4, 2)), "y": np.ones((4, 1)), "epochs": 1, "shuffle": True},
        wrong={"shuffle": FLAGS},
        variant="flags",
    ),
    *(
        attribute(make, name, lambda: True, FLAGS)
        for make, name in (
            (pynet.KLDivLoss, "log_target"),
            (pynet.PoissonNLLLoss, "log_input"),
            (pynet.PoissonNLLLoss, "full"),
            (pynet.GaussianNLLLoss, "full"),
            (lambda: optim.SGD(L(2, 1, seed=0), 0.1, momentum=0.9), "nesterov"),
            (lambda: optim.RMSprop(L(2, 1, seed=0)), "centered"),
        )
    ),
]
