"""The criteria that compare numbers with their targets: rows for the table, and their formulas in NumPy."""

from functools import partial
from itertools import product

import numpy as np

import pynet

_random = np.random.default_rng(4)
_values, _amounts = _random.normal(size=(5, 3)), _random.normal(size=(5, 3))
_probabilities, _chances = _random.uniform(0.1, 0.9, (2, 5, 3))
_answers = (_chances > 0.5).astype(float)
_shares, _log_shares = _random.dirichlet([1, 1, 1], 5), np.log(_random.dirichlet([1, 1, 1], 5))
_counts, _rates = _random.poisson(3, (5, 3)).astype(float), _random.uniform(0.5, 5, (5, 3))
_gaussians = _random.uniform(1.2, 3, (5, 4))  # all positive: a layout without strides makes variances of means
_labels, _some_ignored = np.array([0, 2, 1, 2, 0]), np.array([0, -100, 1, 2, -100])
_class_weight, _pos_weight = np.array([0.5, 2.0, 1.0]), np.array([0.5, 2.0, 3.0])

REDUCTIONS = ("mean", "sum", "none")


def reduced(c, losses):
    """Losses of single numbers, as a criterion's reduction has them."""
    reductions = {"none": losses, "sum": np.sum(losses), "mean": np.mean(losses)}
    return (reductions | {"batchmean": np.sum(losses) / len(losses)})[c.reduction]


def nll_loss(c, x, t):
    """One row at a time."""
    weight = np.ones(x.shape[1]) if c.weight is None else c.weight
    losses, counts = np.zeros(len(x)), np.zeros(len(x))
    for n, (row, target) in enumerate(zip(x, t, strict=True)):
        if t.ndim == 1 and target != c.ignore_index:
            losses[n], counts[n] = -weight[target] * row[target], weight[target]
        elif t.ndim == 2:
            losses[n], counts[n] = -np.sum(weight * target * row), 1
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / counts.sum()}[c.reduction]


def l1_loss(c, x, t):
    return reduced(c, np.abs(x - t))


def smooth_l1_loss(c, x, t):
    e = np.abs(x - t)
    return reduced(c, np.where(e < c.beta, 0.5 * e**2 / max(c.beta, 1e-300), e - 0.5 * c.beta))


def huber_loss(c, x, t):
    e = np.abs(x - t)
    return reduced(c, np.where(e < c.delta, 0.5 * e**2, c.delta * (e - 0.5 * c.delta)))


def bce_loss(c, x, t):
    return reduced(c, -t * np.log(x) - (1 - t) * np.log(1 - x))


def of_scores(c, x, t):
    p, weight = 1 / (1 + np.exp(-x)), 1.0 if c.pos_weight is None else c.pos_weight
    return reduced(c, -weight * t * np.log(p) - (1 - t) * np.log(1 - p))


def kl_div_loss(c, x, t):
    p = np.exp(t) if c.log_target else t
    return reduced(c, p * (np.log(p) - x))


def poisson_nll_loss(c, x, t):
    losses = np.exp(x) - t * x if c.log_input else x - t * np.log(x + c.eps)
    many = np.maximum(t, 1.0)
    factorials = np.where(t > 1, many * np.log(many) - many + 0.5 * np.log(2 * np.pi * many), 0)
    return reduced(c, losses + factorials if c.full else losses)


def gaussian_nll_loss(c, x, t):
    mean, variance = np.split(x, 2, axis=1)
    variance = np.maximum(variance, c.eps)
    losses = 0.5 * (np.log(variance) + (mean - t.reshape(mean.shape)) ** 2 / variance)
    return reduced(c, losses + 0.5 * np.log(2 * np.pi) if c.full else losses)


def pinball_loss(c, x, t):
    e = t.reshape(*x.shape[:-1], 1) - x
    return reduced(c, np.maximum(c.quantiles * e, (c.quantiles - 1) * e))


_FLAT = (_values[:, 0].copy(), _amounts[:, 0].copy())
_QUANTILES = (0.1, 0.5, 0.8)

# What to call for a reduction, inputs with their targets, and the formula.
_LOSSES = [
    (lambda r: pynet.L1Loss(r), [(_values, _amounts), _FLAT], l1_loss),
    (lambda r: pynet.SmoothL1Loss(r, 0.7), [(_values, _amounts), _FLAT], smooth_l1_loss),
    (lambda r: pynet.SmoothL1Loss(r, 0), [(_values, _amounts)], smooth_l1_loss),
    (lambda r: pynet.HuberLoss(r, 0.7), [(_values, _amounts), _FLAT], huber_loss),
    (lambda r: pynet.BCELoss(r), [(_probabilities, _chances), (_probabilities, _answers)], bce_loss),
    (lambda r: pynet.BCEWithLogitsLoss(r), [(_values, _chances), (_values, _answers)], of_scores),
    (
        lambda r: pynet.BCEWithLogitsLoss(r, 2.5),
        [(_values, _answers), (_FLAT[0], _chances[:, 0])],
        of_scores,
    ),
    (
        lambda r: pynet.BCEWithLogitsLoss(r, _pos_weight),
        [(_values, _chances), (_values, _answers)],
        of_scores,
    ),
    (lambda r: pynet.KLDivLoss(r), [(_log_shares, _shares)], kl_div_loss),
    (lambda r: pynet.KLDivLoss(r, log_target=True), [(_log_shares, np.log(_shares))], kl_div_loss),
    (lambda r: pynet.PoissonNLLLoss(reduction=r), [(_values, _counts)], poisson_nll_loss),
    (lambda r: pynet.PoissonNLLLoss(full=True, reduction=r), [(_values, _counts)], poisson_nll_loss),
    (lambda r: pynet.PoissonNLLLoss(False, eps=0.1, reduction=r), [(_rates, _counts)], poisson_nll_loss),
    (lambda r: pynet.PoissonNLLLoss(False, True, reduction=r), [(_rates, _counts)], poisson_nll_loss),
    (lambda r: pynet.GaussianNLLLoss(reduction=r), [(_gaussians, _amounts[:, :2].copy())], gaussian_nll_loss),
    (lambda r: pynet.GaussianNLLLoss(True, reduction=r), [(_gaussians[:, 1:3].copy(), _FLAT[1])], gaussian_nll_loss),
    (lambda r: pynet.PinballLoss(_QUANTILES, r), [(_values, _FLAT[1]), (_values, _amounts[:, :1])], pinball_loss),
    (lambda r: pynet.PinballLoss([0.3], r), [(_values[:, :1], _FLAT[1])], pinball_loss),
]

LOSSES = [
    *(
        (partial(make, reduction), x, t, formula)
        for make, pairs, formula in _LOSSES
        for reduction, (x, t) in product(REDUCTIONS, pairs)
    ),
    (partial(pynet.KLDivLoss, "batchmean"), _log_shares, _shares, kl_div_loss),
    *(
        (partial(pynet.NLLLoss, weight, -100, reduction), _log_shares, target, nll_loss)
        for weight, reduction in product((None, _class_weight), REDUCTIONS)
        for target in (_labels, _some_ignored, np.eye(3)[_labels], _shares)
    ),
]
