"""The criteria that ask how likely their targets are, of logarithms, counts and normal distributions."""

import numpy as np

import pynet

from .losses import both
from .row import TERMS, Row, constant, gradient
from .scores import of_label


def logs_and_labels(random, size, dtype):
    """Log-probabilities of five classes, what each class counts, and labels."""
    x = -random.exponential(3, size=(size // 5, 5)).astype(dtype)
    return x, random.uniform(0.1, 3, 5).astype(dtype), random.integers(5, size=len(x))


def logs_and_shares(random, size, dtype):
    """Log-probabilities of five classes, and probabilities, some of them small."""
    x = -random.exponential(3, size=(size // 5, 5)).astype(dtype)
    return x, np.exp2(random.uniform(-30, 0, size=x.shape)).astype(dtype)


def logs_and_logs(random, size, dtype):
    x, t = logs_and_shares(random, size, dtype)
    return x, np.log(t)


NLL = [
    Row(
        "NLLLoss(weight), loss",
        "labels",
        logs_and_labels,
        lambda x, w, y: pynet.NLLLoss(w, reduction="none")(x, y),
        lambda m, x, w, y: -w[y] * of_label(x, y),
        (0.5, 0.5),
        lambda x, w, y: -w[y] * of_label(x, y),
        lambda torch, x, w, y: torch.nn.functional.nll_loss(x, y, w, reduction="none"),
    ),
    Row(
        "NLLLoss(weight), gradient",
        "labels",
        logs_and_labels,
        lambda x, w, y: pynet.NLLLoss(w, reduction="sum").backward(x, y),
        lambda m, x, w, y: np.where(np.arange(5) == y[:, None], -w, w * 0),
        (0, 0),
        lambda x, w, y: -np.eye(5, dtype=x.dtype)[y] * w,
        lambda torch, x, w, y: gradient(lambda torch, x: torch.nn.functional.nll_loss(x, y, w, reduction="sum"))(
            torch, x, None
        ),
    ),
    *both(
        "NLLLoss",
        lambda reduction: pynet.NLLLoss(reduction=reduction),
        "probabilities",
        logs_and_shares,
        lambda m, x, t: ((-t * x).sum(axis=1),),
        lambda m, x, t: (-t,),
        lambda torch, x, t: (-t * x).sum(dim=1),
        ((0.5, 3), (0, 0)),
    ),
]

DIVERGENCES = [
    *both(
        "KLDivLoss",
        pynet.KLDivLoss,
        "probabilities",
        logs_and_shares,
        lambda m, x, t: (t * m.log(t), -t * x),
        lambda m, x, t: (-t,),
        lambda torch, x, t: torch.nn.functional.kl_div(x, t, reduction="none"),
        ((3, 4), (0, 0)),
        (TERMS, "ULP"),
    ),
    *both(
        "KLDivLoss(log_target=True)",
        lambda reduction: pynet.KLDivLoss(reduction, log_target=True),
        "their logarithms",
        logs_and_logs,
        lambda m, x, t: (m.exp(t) * t, -m.exp(t) * x),
        lambda m, x, t: (-m.exp(t),),
        lambda torch, x, t: torch.nn.functional.kl_div(x, t, reduction="none", log_target=True),
        ((3, 4), (1, 1)),
        (TERMS, "ULP"),
    ),
]


def logs_and_counts(random, size, dtype):
    return (2 * random.normal(size=size)).astype(dtype), random.poisson(10, size).astype(dtype)


def rates_and_counts(random, size, dtype):
    """What is expected is often about 1, where its logarithm is small."""
    rates = np.where(random.integers(2, size=size), random.uniform(0.01, 20, size), random.uniform(0.99, 1.01, size))
    return rates.astype(dtype), random.poisson(10, size).astype(dtype)


EPS = 0.03


def log_factorial(m, t):
    """By Stirling's formula, from 2 on."""
    many = np.maximum(t, constant(m, 2.0))
    found = many * m.log(many) - many + m.log(2 * m.pi * many) / 2
    return np.where(t > 1, found, found * 0)


POISSON = [
    *both(
        "PoissonNLLLoss",
        lambda reduction: pynet.PoissonNLLLoss(reduction=reduction),
        "logarithms",
        logs_and_counts,
        lambda m, x, t: (m.exp(x), -t * x),
        lambda m, x, t: (m.exp(x), -t),
        lambda torch, x, t: torch.nn.functional.poisson_nll_loss(x, t, reduction="none"),
        ((3, 4), (2, 2)),
        (TERMS, TERMS),
    ),
    *both(
        "PoissonNLLLoss(full=True)",
        lambda reduction: pynet.PoissonNLLLoss(full=True, reduction=reduction),
        "logarithms",
        logs_and_counts,
        lambda m, x, t: (m.exp(x), -t * x, log_factorial(m, t)),
        lambda m, x, t: (m.exp(x), -t),
        lambda torch, x, t: torch.nn.functional.poisson_nll_loss(x, t, full=True, reduction="none"),
        ((3, 5), (2, 2)),
        (TERMS, TERMS),
    ),
    *both(
        f"PoissonNLLLoss(log_input=False, eps={EPS})",
        lambda reduction: pynet.PoissonNLLLoss(False, eps=EPS, reduction=reduction),
        "what is expected",
        rates_and_counts,
        lambda m, x, t: (x, -t * m.log(x + constant(m, EPS))),
        lambda m, x, t: (x * 0 + 1, -t / (x + constant(m, EPS))),
        lambda torch, x, t: torch.nn.functional.poisson_nll_loss(x, t, log_input=False, eps=EPS, reduction="none"),
        ((3, 5), (1.5, 3)),
        (TERMS, TERMS),
    ),
]


def gaussians(random, size, dtype):
    """Two means and two variances a row, and what they should be the distributions of."""
    means, t = random.normal(size=(2, size // 2, 2))
    return np.hstack([means, np.exp2(random.uniform(-15, 5, size=means.shape))]).astype(dtype), t.astype(dtype)


def gaussian(m, x, t):
    mean, variance = x[:, :2], x[:, 2:]
    return m.log(variance) / 2, (mean - t) ** 2 / variance / 2


def gaussian_slope(m, x, t):
    mean, variance = x[:, :2], x[:, 2:]
    e = mean - t
    return np.hstack([e / variance, 1 / (2 * variance)]), np.hstack([e * 0, -e * e / variance / variance / 2])


def torch_gaussian(torch, x, t):
    return torch.nn.functional.gaussian_nll_loss(x[:, :2], t, x[:, 2:], reduction="none")


GAUSSIAN = both(
    "GaussianNLLLoss",
    lambda reduction: pynet.GaussianNLLLoss(reduction=reduction),
    "variances from 3e-5 to 32",
    gaussians,
    gaussian,
    gaussian_slope,
    torch_gaussian,
    ((3, 6), (1.5, 6)),
    (TERMS, TERMS),
)

LIKELIHOODS = [*NLL, *DIVERGENCES, *POISSON, *GAUSSIAN]
