"""From settings to what is trained: a network, its criterion, optimizer and schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from .. import layers, optim
from ..callbacks import LRScheduler
from ..criteria import CrossEntropyLoss, MSELoss
from ..criterion import Criterion
from ..layers.names import ACTIVATIONS as NAMED
from ..optim import lr_scheduler
from ..sequential import Sequential

ACTIVATIONS = NAMED | {"sigmoid": layers.Sigmoid}


class _Optimizer(NamedTuple):
    make: Callable[..., optim.Optimizer]
    lr: float  # unless told otherwise
    options: Mapping[str, float] = MappingProxyType({})


OPTIMIZERS = {
    "adam": _Optimizer(optim.Adam, 3e-3),
    "adamw": _Optimizer(optim.AdamW, 3e-3),
    "nadam": _Optimizer(optim.NAdam, 3e-3),
    "rmsprop": _Optimizer(optim.RMSprop, 3e-3),
    "adagrad": _Optimizer(optim.Adagrad, 0.03),
    "adadelta": _Optimizer(optim.Adadelta, 1.0),
    "sgd": _Optimizer(optim.SGD, 0.1, {"momentum": 0.9}),
}
SCHEDULES = ("constant", "cosine", "linear", "step", "exponential", "onecycle", "plateau")


def make_network(features: int, outputs: int, settings: dict[str, Any], random: np.random.Generator) -> Sequential:
    """Return Linear, BatchNorm, activation and Dropout for every hidden width, and a last Linear."""
    model, width = Sequential(), features
    for hidden in settings["hidden"]:
        model.append(layers.Linear(width, hidden, dtype=settings["dtype"], seed=random))
        if settings["batch_norm"]:
            model.append(layers.BatchNorm(hidden, dtype=settings["dtype"]))
        model.append(ACTIVATIONS[settings["activation"]]())
        if settings["dropout"]:
            model.append(layers.Dropout(settings["dropout"], seed=random))
        width = hidden
    return model.append(layers.Linear(width, outputs, dtype=settings["dtype"], seed=random))


def make_criterion(task: str) -> Criterion:
    """Return what a task's outputs cost: classes are told from scores, amounts from themselves."""
    return CrossEntropyLoss() if task == "classification" else MSELoss()


def make_optimizer(model: Sequential, settings: dict[str, Any]) -> optim.Optimizer:
    """Return the optimizer with its learning rate."""
    chosen = OPTIMIZERS[settings["optimizer"]]
    return chosen.make(model, settings["lr"], **chosen.options)


def make_schedules(
    optimizer: optim.Optimizer, settings: dict[str, Any], batches: int, monitor: str
) -> list[LRScheduler]:
    """Return the schedule, if the rate is to change, as a callback; ``monitor`` is the figure that plateau watches."""
    epochs = settings["epochs"]
    match settings["schedule"]:
        case "cosine":
            return [LRScheduler(lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs))]
        case "linear":
            return [LRScheduler(lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=epochs))]
        case "step":
            return [LRScheduler(lr_scheduler.StepLR(optimizer, step_size=max(1, -(-epochs // 3))))]
        case "exponential":
            return [LRScheduler(lr_scheduler.ExponentialLR(optimizer, gamma=0.01 ** (1 / epochs)))]
        case "onecycle":
            one_cycle = lr_scheduler.OneCycleLR(optimizer, settings["lr"], epochs=epochs, steps_per_epoch=batches)
            return [LRScheduler(one_cycle, every="batch")]
        case "plateau":
            return [LRScheduler(lr_scheduler.ReduceLROnPlateau(optimizer, patience=5), monitor=monitor)]
    return []
