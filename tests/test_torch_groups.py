"""Parameter groups and schedules over them: the same numbers as PyTorch's."""

import numpy as np
import pytest

import pynet

torch = pytest.importorskip("torch")
nn = torch.nn
torch.set_num_threads(1)

OPTIMIZERS = ["SGD", "Adam", "AdamW", "NAdam", "RMSprop", "Adagrad", "Adadelta"]


@pytest.fixture(autouse=True)
def doubles():
    """PyTorch keeps NAdam's product in its default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_that_fifty_steps_with_groups_equal_pytorchs(name, scheduled):
    theirs = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2), nn.Linear(2, 2))
    ours = pynet.Sequential(pynet.Linear(4, 3), pynet.Linear(3, 2), pynet.Linear(2, 2))
    ours.load_state_dict({key: array.numpy() for key, array in theirs.state_dict().items()})
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    mine = getattr(pynet.optim, name)(
        ours,
        0.1,
        weight_decay=0.2,
        groups=[{"parameters": "*.bias", "weight_decay": 0, "lr": 0.3}, {"parameters": ours[1], "lr": 0.01}],
        **options,
    )
    biases, weights = ([getattr(layer, key) for layer in theirs] for key in ("bias", "weight"))
    their = getattr(torch.optim, name)(
        [
            {"params": biases, "weight_decay": 0, "lr": 0.3},
            {"params": weights[1], "lr": 0.01},
            {"params": weights[::2]},
        ],
        0.1,
        weight_decay=0.2,
        foreach=False,
        **options,
    )
    schedules = []
    if scheduled:
        schedules = [
            pynet.optim.lr_scheduler.ExponentialLR(mine, 0.95),
            torch.optim.lr_scheduler.ExponentialLR(their, 0.95),
        ]
    random = np.random.default_rng(3)
    for _ in range(50):
        for gradient, parameter in zip(ours.grad_parameters(), theirs.parameters(), strict=True):
            gradient[...] = random.normal(size=gradient.shape)
            parameter.grad = torch.tensor(gradient)
        mine.step()
        their.step()
        for schedule in schedules:
            schedule.step()
    for array, parameter in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(array, parameter.detach().numpy(), rtol=1e-10, atol=1e-11)
    assert [group.lr for group in mine.groups] == pytest.approx([group["lr"] for group in their.param_groups[:2]])
