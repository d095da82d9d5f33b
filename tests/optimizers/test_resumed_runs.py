"""Runs that are resumed from a checkpoint end with the same bits, whatever optimizer moves them."""

import numpy as np
import pytest

import pynet
from pynet import optim

OPTIMIZERS = [
    lambda m: optim.NAdam(m, 0.01, momentum_decay=0.1),
    lambda m: optim.RMSprop(m, 0.001, momentum=0.9, centered=True, eps=1e-3),
    lambda m: optim.Adagrad(m, 0.05, lr_decay=0.01, initial_accumulator_value=0.1),
    lambda m: optim.Adadelta(m, weight_decay=0.01),
]


def run(make, path, epochs, **options):
    model = pynet.Sequential(
        pynet.Linear(5, 20, seed=0), pynet.BatchNorm(20), pynet.Dropout(0.2, seed=1), pynet.Linear(20, 3, seed=2)
    ).astype(np.float32)
    optimizer = make(model)
    random = np.random.default_rng(0)
    X, y = random.normal(size=(90, 5)), random.integers(0, 3, 90)
    trainer = pynet.Trainer(model, pynet.CrossEntropyLoss(), optimizer, [pynet.callbacks.Checkpoint(path)])
    trainer.fit(X, y, epochs, seed=3, **options)
    states = optimizer.state_dict().pop("state")
    return model.state_dict() | {f"{name}/{key}": v for name, kept in states.items() for key, v in kept.items()}


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_resumed_run_ends_with_the_same_bits(make, tmp_path):
    whole = run(make, tmp_path / "whole.npz", 5)
    run(make, tmp_path / "run.npz", 2)
    resumed = run(make, tmp_path / "run.npz", 5, resume=tmp_path / "run.npz")
    assert whole.keys() == resumed.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array, err_msg=name, strict=True)
