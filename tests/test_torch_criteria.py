"""The same losses and gradients as PyTorch's criteria, for each of their options."""

from itertools import product

import numpy as np
import pytest

import pynet

torch = pytest.importorskip("torch")
nn = torch.nn
torch.set_num_threads(1)

each_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
ROUNDING = {np.float64: 1e-12, np.float32: 1e-5}
REDUCTIONS = ("mean", "sum", "none")

_random = np.random.default_rng(0)
VALUES, AMOUNTS = _random.normal(size=(2, 6, 4)) * 3
CHANCES, OTHERS = _random.uniform(0, 1, (2, 6, 4))
SURE = np.array([[0.0, 1.0, 1e-30, 1 - 1e-7], [1.0, 0.0, 0.5, 0.25]])
ANSWERS = (OTHERS > 0.5).astype(float)
COUNTS, RATES = _random.poisson(2, (6, 4)).astype(float), _random.uniform(0, 5, (6, 4))
SHARES = _random.dirichlet([1, 1, 1, 1], 6)
SHARES[0] = [0, 0, 1, 0]
LOGS = np.log(_random.dirichlet([1, 1, 1, 1], 6))
LABELS, SOME_IGNORED = np.array([0, 2, 1, 2, 2, 3]), np.array([0, -100, 1, 2, -100, 3])
CLASS_WEIGHT, POS_WEIGHT = np.array([0.5, 2, 1, 0]), np.array([0.5, 2, 1, 3])
# Variances below eps too.
GAUSSIANS = np.hstack([VALUES[:, :2], np.abs(VALUES[:, 2:]) * [1, 1e-7]])


def gaussian(full=False, eps=1e-6, reduction="mean"):
    theirs = nn.GaussianNLLLoss(full=full, eps=eps, reduction=reduction)
    return lambda x, t: theirs(x[:, :2], t, x[:, 2:])


def pinball(quantiles):
    """Not in PyTorch: its formula, under autograd."""
    return lambda x, t: torch.maximum((t - x) * quantiles, (t - x) * (quantiles - 1)).mean()


# Ours, theirs, an input and a target.
ROWS = []
for r in REDUCTIONS:
    pairs = [(VALUES, AMOUNTS), (VALUES[:, 0], AMOUNTS[:, 0]), (VALUES, VALUES)]
    for x, t in pairs:
        ROWS += [
            (pynet.L1Loss(r), nn.L1Loss(reduction=r), x, t),
            *((pynet.SmoothL1Loss(r, b), nn.SmoothL1Loss(reduction=r, beta=b), x, t) for b in (1.0, 0.3, 0.0)),
            *((pynet.HuberLoss(r, d), nn.HuberLoss(reduction=r, delta=d), x, t) for d in (1.0, 0.3)),
        ]
    ROWS += [(pynet.BCELoss(r), nn.BCELoss(reduction=r), x, t) for x, t in ((CHANCES, OTHERS), (CHANCES, ANSWERS))]
    ROWS += [
        (pynet.BCELoss(r), nn.BCELoss(reduction=r), SURE, SURE[::-1]),
        (pynet.BCELoss(r), nn.BCELoss(reduction=r), SURE, SURE),
    ]
    for scale, t, w in product((1, 50), (OTHERS, ANSWERS), (None, 2.5, POS_WEIGHT)):
        theirs = nn.BCEWithLogitsLoss(reduction=r, pos_weight=None if w is None else torch.tensor(w))
        ROWS.append((pynet.BCEWithLogitsLoss(r, w), theirs, scale * VALUES, t))
    for w, t in product((None, CLASS_WEIGHT), (LABELS, SOME_IGNORED)):
        theirs = nn.NLLLoss(None if w is None else torch.tensor(w), reduction=r)
        ROWS.append((pynet.NLLLoss(w, reduction=r), theirs, LOGS, t))
    ROWS.append((pynet.NLLLoss(None, 2, r), nn.NLLLoss(ignore_index=2, reduction=r), LOGS, LABELS))
    for log_input, full, eps in product((True, False), (True, False), (1e-8, 0.1)):
        theirs = nn.PoissonNLLLoss(log_input, full, eps=eps, reduction=r)
        ROWS.append((pynet.PoissonNLLLoss(log_input, full, eps, r), theirs, VALUES if log_input else RATES, COUNTS))
    for full, eps in product((True, False), (1e-6, 0.5)):
        ROWS.append((pynet.GaussianNLLLoss(full, eps, r), gaussian(full, eps, r), GAUSSIANS, AMOUNTS[:, :2]))
for r in (*REDUCTIONS, "batchmean"):
    ROWS.append((pynet.KLDivLoss(r), nn.KLDivLoss(reduction=r), LOGS, SHARES))
    ROWS.append((pynet.KLDivLoss(r, True), nn.KLDivLoss(reduction=r, log_target=True), LOGS, LOGS[::-1]))
QUANTILES = np.array([0.1, 0.3, 0.5, 0.9])
ROWS.append((pynet.PinballLoss(QUANTILES), pinball(torch.tensor(QUANTILES)), VALUES, AMOUNTS[:, :1]))


def as_dtype(array, dtype):
    return np.ascontiguousarray(array) if array.dtype.kind == "i" else array.astype(dtype)


@each_dtype
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize(
    ("ours", "theirs", "x", "t"), ROWS, ids=lambda part: repr(part)[:70] if isinstance(part, pynet.Criterion) else ""
)
def test_that_losses_and_gradients_equal_pytorchs(ours, theirs, x, t, dtype):
    x, t = as_dtype(x, dtype), as_dtype(t, dtype)
    theirs = theirs.to(getattr(torch, np.dtype(dtype).name)) if isinstance(theirs, nn.Module) else theirs
    leaf = torch.tensor(x, requires_grad=True)
    loss = theirs(leaf, torch.tensor(t))
    loss.sum().backward()
    for got, want in ((ours.forward(x, t), loss), (ours.backward(x, t), leaf.grad)):
        want = want.detach().numpy()
        assert np.shape(got) == want.shape
        # The 1e-12 of PyTorch's BCELoss is a float's, in float64 too.
        rounding = max(ROUNDING[dtype], 5e-9 if isinstance(ours, pynet.BCELoss) else 0)
        np.testing.assert_allclose(got, want, rtol=rounding, atol=rounding * min(np.abs(want).max(), 1e3))


@each_dtype
def test_that_bce_loss_weighs_rows_as_pytorchs_weight_does(dtype):
    w = np.array([0.5, 2, 0, 1, 3, 1], dtype)
    x, t = as_dtype(CHANCES, dtype), as_dtype(OTHERS, dtype)
    leaf = torch.tensor(x, requires_grad=True)
    loss = nn.BCELoss(torch.tensor(w[:, None]))(leaf, torch.tensor(t))
    loss.backward()
    np.testing.assert_allclose(pynet.BCELoss()(x, t, w), loss.item(), rtol=ROUNDING[dtype])
    np.testing.assert_allclose(pynet.BCELoss().backward(x, t, w), leaf.grad.numpy(), rtol=ROUNDING[dtype])


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_that_what_pytorch_refuses_is_refused(wrong):
    x, t = np.array([[0.5, wrong]]), np.array([[0.5, 0.5]])
    for pair in ((x, t), (t, x)):
        with pytest.raises(RuntimeError, match="between 0 and 1"):
            nn.BCELoss()(*map(torch.tensor, pair))
        with pytest.raises(ValueError, match=r"has -?\d\.1.* in row 0, expected probabilities from 0 to 1"):
            pynet.BCELoss()(*pair)
    with pytest.raises(ValueError, match="negative"):
        nn.GaussianNLLLoss()(torch.tensor([[1.0]]), torch.tensor([[1.0]]), torch.tensor([[-1.0]]))
    with pytest.raises(ValueError, match=r"variance -1.* in row 0"):
        pynet.GaussianNLLLoss()(np.array([[1.0, -1.0]]), np.array([[1.0]]))
