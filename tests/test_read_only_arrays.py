"""Modules whose arrays come read-only out of a pickle, as from a file that joblib maps into memory."""

import pickle

import numpy as np
import pytest
import table

import pynet


def from_read_only_memory(module):
    buffers = []
    written = pickle.dumps(module, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(written, buffers=[bytes(buffer) for buffer in buffers])


@pytest.mark.parametrize("case", table.MODULES, ids=str)
def test_that_they_predict_and_learn_as_the_original(case):
    module = case.module()
    x = case.input()
    twin = from_read_only_memory(module)
    for one in (module, twin):
        np.random.seed(0)  # one mask for both
        output = one.train().forward(x)
        one.backward(x, np.ones_like(output))
        if one.parameters():
            pynet.optim.SGD(one, 0.1).step()
    for ours, theirs in zip(twin.parameters(), module.parameters(), strict=True):
        assert ours.flags.writeable
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)
