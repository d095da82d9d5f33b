"""Callbacks and the history of a run under wrong arguments."""

from typing import Any

from calls_of_layers import network
from wrong_calls import Call, function, method
from wrong_values import (
    AT_LEAST_ZERO,
    NO_MAPPING,
    NO_PATH,
    SHARE,
    sizes,
    without_none,
    wrong,
)

import pynet


def history() -> Any:
    """Figures of three epochs."""
    return pynet.History({"loss": [3.0, 2.0, 1.0], "lr": [0.1, 0.1, 0.1]})


CALLS = [
    function(
        "History", pynet.History, lambda: {"figures": {"loss": [1.0]}}, wrong={"figures": without_none(NO_MAPPING)}
    ),
    method(
        history,
        "append",
        lambda: {"figures": {"loss": 0.5, "lr": 0.1}},
        wrong={
            "figures": [
                *NO_MAPPING,
                *wrong(
                    TypeError,
                    "lr must be a number",
                    figure_text={"loss": 0.5, "lr": "a"},
                    figure_none={"loss": 0.5, "lr": None},
                ),
            ]
        },
    ),
    method(history, "to_csv", lambda: {"path": "/dev/null"}, wrong={"path": NO_PATH}),
    Call(
        "History.from_csv",
        lambda: None,
        lambda subject, path: pynet.History.from_csv(path) if path != "right" else None,
        lambda: {"path": "right"},
        {
            "path": [
                *NO_PATH,
                *wrong(FileNotFoundError, "nowhere", missing="/nowhere/run.csv"),
                *wrong(pynet.CheckpointError, "is no table of a training run", empty="/dev/null"),
            ]
        },
    ),
]

MONITORS = wrong(TypeError, "monitor must be the name of a figure, got", number=5, list=["loss"], bytes=b"loss")
MODES = wrong(ValueError, "{} must be one of 'auto', 'min', 'max'", none=None, text="best", number=1)
NONE_MONITOR = wrong(TypeError, "monitor must be the name of a figure, got", none=None)


def schedule() -> Any:
    return pynet.optim.lr_scheduler.StepLR(pynet.optim.SGD(network(), 0.1), 2)


CALLS += [
    function(
        "callbacks.EarlyStopping",
        pynet.callbacks.EarlyStopping,
        lambda: {"monitor": "loss", "patience": 3, "min_delta": 0.1, "mode": "min"},
        wrong={
            "monitor": MONITORS + NONE_MONITOR,
            "patience": without_none(sizes()),
            "min_delta": AT_LEAST_ZERO,
            "mode": MODES,
        },
    ),
    function(
        "callbacks.Checkpoint",
        pynet.callbacks.Checkpoint,
        lambda: {"path": "run.npz", "monitor": "loss", "mode": "min", "every": 2},
        wrong={
            "path": [
                *NO_PATH,
                *wrong(ValueError, "{} must end in", ending="run.txt", no_ending="run", empty="", bytes_ending="a.NPZ"),
                *wrong(ValueError, "{} may have", braces="run-{loss}.npz", open="run-{.npz", no_name="run-{}.npz"),
            ],
            "monitor": MONITORS,
            "mode": MODES,
            "every": sizes(1),
        },
    ),
    function("callbacks.CSVLogger", pynet.callbacks.CSVLogger, lambda: {"path": "run.csv"}, wrong={"path": NO_PATH}),
    function(
        "callbacks.WeightAveraging", pynet.callbacks.WeightAveraging, lambda: {"decay": 0.9}, wrong={"decay": SHARE}
    ),
    function(
        "callbacks.LRScheduler",
        pynet.callbacks.LRScheduler,
        lambda: {"schedule": schedule(), "every": "batch", "monitor": "loss"},
        wrong={
            "schedule": [
                *wrong(TypeError, "{} must be one of", none=None, number=5, text="step"),
                *wrong(TypeError, "{} must be one of", a_class=pynet.optim.lr_scheduler.StepLR),
            ],
            "every": wrong(ValueError, "{} must be one of 'epoch', 'batch'", none=None, text="step", number=1),
            "monitor": MONITORS + NONE_MONITOR,
        },
    ),
    Call(
        "callbacks.LRScheduler",
        lambda: pynet.optim.lr_scheduler.ReduceLROnPlateau(schedule().optimizer),
        lambda subject, every: pynet.callbacks.LRScheduler(subject, every),
        lambda: {"every": "epoch"},
        {"every": wrong(ValueError, ": {} must be 'epoch'", batch="batch")},
        variant="plateau",
    ),
]
CALLS.append(
    function(
        "callbacks.ProgressBar",
        pynet.callbacks.ProgressBar,
        lambda: {"figures": ["loss"]},
        wrong={"figures": wrong(TypeError, "{} must be a list of names", number=5, numbers=[5], true=True)},
        needs="tqdm",
    )
)
