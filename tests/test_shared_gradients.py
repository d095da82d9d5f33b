"""Gradients that lie in the memory of what comes in: they are those of copies."""

import copy

import numpy as np
import pytest

import pynet

WIDTH = 150
LAYERS = [
    lambda: pynet.Linear(WIDTH, WIDTH),
    lambda: pynet.BatchNorm(WIDTH),
    lambda: pynet.PReLU(WIDTH),
    lambda: pynet.PReLU(),
    lambda: pynet.LayerNorm(WIDTH),
    lambda: pynet.RMSNorm(WIDTH),
    lambda: pynet.GroupNorm(3, WIDTH),
    lambda: pynet.Embedding(WIDTH, WIDTH),
]
# What an Embedding is given is converted before anything is written.
CASES = [(make, "input") for make in LAYERS[:-1]] + [(make, "grad_output") for make in LAYERS]


def results(layer, x, grad_output):
    layer.forward(x)
    return [layer.backward(x, grad_output), *(np.copy(grad) for grad in layer.grad_parameters())]


@pytest.mark.parametrize(("make", "shared"), CASES)
def test_gradients_may_lie_in_what_comes_in(make, shared):
    random, layer = np.random.default_rng(0), make()
    takes_indices = isinstance(layer, pynet.Embedding)
    given = {
        "input": random.integers(0, WIDTH, 300) if takes_indices else random.normal(size=(300, WIDTH)),
        "grad_output": random.normal(size=(300, WIDTH)),
    }
    want = results(copy.deepcopy(layer), given["input"], given["grad_output"])
    for name, parameter in layer.named_parameters():
        for last in (False, True):
            own, sharing = given | {shared: given[shared].copy()}, copy.deepcopy(layer)
            numbers = own[shared].reshape(-1)
            part = numbers[-parameter.size :] if last else numbers[: parameter.size]
            setattr(sharing, f"grad_{name}", part.reshape(parameter.shape))
            for got, array in zip(results(sharing, own["input"], own["grad_output"]), want, strict=True):
                np.testing.assert_allclose(got, array, rtol=1e-12, atol=1e-12, err_msg=f"{name}, last: {last}")
