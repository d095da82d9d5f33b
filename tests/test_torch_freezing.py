"""Frozen layers: a network learns step by step as PyTorch's does whose parameters require no gradient."""

import numpy as np
import pytest
from compiled_steps import loop_step

import pynet

torch = pytest.importorskip("torch")
nn = torch.nn
torch.set_num_threads(1)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("places", [[0], [1], [0, 1], [4], [0, 1, 3]], ids=str)
def test_that_what_is_frozen_stays_and_the_rest_learns_as_in_pytorch(places, compiled):
    theirs = nn.Sequential(
        nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 6), nn.Linear(6, 3, bias=False)
    ).double()
    ours = pynet.Sequential(
        pynet.Linear(5, 8), pynet.BatchNorm(8), pynet.Tanh(), pynet.Linear(8, 6), pynet.Linear(6, 3, bias=False)
    )
    ours.load_state_dict({key: array.numpy() for key, array in theirs.state_dict().items()})
    mine = pynet.optim.AdamW(ours, 0.01, weight_decay=0.1)
    their = torch.optim.AdamW(theirs.parameters(), 0.01, weight_decay=0.1)
    criterion = pynet.CrossEntropyLoss()
    step = pynet.compile_step(ours, criterion, mine)
    random = np.random.default_rng(0)
    for number in range(60):
        frozen = 20 <= number < 40
        for place in places:
            ours[place].freeze() if frozen else ours[place].unfreeze()
            theirs[place].requires_grad_(not frozen)
        x, y = random.normal(size=(16, 5)), random.integers(0, 3, 16)
        loss = step(x, y) if compiled else loop_step(ours, criterion, mine, x, y)
        assert not compiled or step.compiled
        their.zero_grad()
        expected = nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
        expected.backward()
        their.step()
        np.testing.assert_allclose(loss, expected.item(), rtol=1e-7)
    for name, array in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], array.numpy(), rtol=1e-6, atol=1e-8, err_msg=name)
