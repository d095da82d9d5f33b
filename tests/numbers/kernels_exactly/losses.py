"""The criteria that compare numbers with their targets: the losses of single numbers, and their gradients."""

import numpy as np

import pynet

from .row import TERMS, constant, gradient, row_of_terms


def both(name, make_criterion, inputs, make, value, slope, theirs, limits, units=("ULP", "ULP"), numpy=(True, True)):
    """A row for the losses and one for their gradients: `value` and `slope` return what they are the sums of.

    Of limits, units and NumPy's formulas the first is that of the losses, the second that of the gradients.
    """
    losses, total = make_criterion("none"), make_criterion("sum")
    of_sum = gradient(lambda torch, x, t: theirs(torch, x, t).sum())
    return [
        row_of_terms(f"{name}, loss", inputs, make, losses, value, limits[0], theirs, units[0], numpy[0]),
        row_of_terms(
            f"{name}, gradient",
            inputs,
            make,
            total.backward,
            slope,
            limits[1],
            lambda torch, x, t: of_sum(torch, x, None, t),
            units[1],
            numpy[1],
        ),
    ]


# --------------------------------------------------------------------------------------------------- of their distance


def normal(random, size, dtype):
    return tuple(random.normal(size=(2, size)).astype(dtype))


BETA = 0.7  # of SmoothL1Loss, and HuberLoss's delta


def smooth_l1(m, x, t):
    e, beta = np.abs(x - t), constant(m, BETA)
    return (np.where(e < beta, e * e / 2 / beta, e - beta / 2),)


def smooth_l1_slope(m, x, t):
    e, beta = x - t, constant(m, BETA)
    return (np.where(np.abs(e) < beta, e / beta, np.sign(e)),)


def huber(m, x, t):
    e, delta = np.abs(x - t), constant(m, BETA)
    return (np.where(e < delta, e * e / 2, delta * (e - delta / 2)),)


def huber_slope(m, x, t):
    return (np.clip(x - t, -constant(m, BETA), constant(m, BETA)),)


QUANTILES = (0.05, 0.5, 0.999)


def columns(random, size, dtype):
    return random.normal(size=(size, len(QUANTILES))).astype(dtype), random.normal(size=(size, 1)).astype(dtype)


def pinball(m, x, t):
    e = t - x
    of_columns = [(constant(m, q) * c, (constant(m, q) - 1) * c) for q, c in zip(QUANTILES, e.T, strict=True)]
    return (np.stack([np.maximum(*sides) for sides in of_columns], axis=1),)


def pinball_slope(m, x, t):
    below = (x < t).T
    rows = [np.where(b, -constant(m, q), 1 - constant(m, q)) for q, b in zip(QUANTILES, below, strict=True)]
    return (np.stack(rows, axis=1).astype(x.dtype),)


def torch_pinball(torch, x, t):
    return torch.stack([torch.maximum(q * c, (q - 1) * c) for q, c in zip(QUANTILES, (t - x).T, strict=True)], dim=1)


DISTANCES = [
    *both(
        "L1Loss",
        pynet.L1Loss,
        "normal",
        normal,
        lambda m, x, t: (np.abs(x - t),),
        lambda m, x, t: (np.sign(x - t),),
        lambda torch, x, t: torch.nn.functional.l1_loss(x, t, reduction="none"),
        ((0.5, 0.5), (0, 0)),
    ),
    *both(
        f"SmoothL1Loss(beta={BETA})",
        lambda reduction: pynet.SmoothL1Loss(reduction, BETA),
        "normal",
        normal,
        smooth_l1,
        smooth_l1_slope,
        lambda torch, x, t: torch.nn.functional.smooth_l1_loss(x, t, reduction="none", beta=BETA),
        ((1, 4), (1, 2)),
    ),
    *both(
        f"HuberLoss(delta={BETA})",
        lambda reduction: pynet.HuberLoss(reduction, BETA),
        "normal",
        normal,
        huber,
        huber_slope,
        lambda torch, x, t: torch.nn.functional.huber_loss(x, t, reduction="none", delta=BETA),
        ((1, 3), (1, 1)),
    ),
    *both(
        f"PinballLoss({QUANTILES})",
        lambda reduction: pynet.PinballLoss(QUANTILES, reduction),
        "normal",
        columns,
        pinball,
        pinball_slope,
        torch_pinball,
        ((1, 2), (1, 1)),
    ),
]

# ---------------------------------------------------------------------------------------------------- of yes and no


def chances(random, size, dtype):
    """Probabilities that come near 0 and 1, and probabilities to compare them with."""
    p = np.exp2(random.uniform(-30, 0, size)).astype(dtype)
    p = np.where(random.integers(2, size=size), p, 1 - p).clip(1e-9, 1 - np.finfo(dtype).epsneg)
    return p.astype(dtype), random.uniform(0, 1, size).astype(dtype)


def scores(scale, right):
    """Scores, and answers that agree with their sign or do not."""

    def make(random, size, dtype):
        x = (random.normal(size=size) * scale).astype(dtype)
        return x, ((x > 0) == right).astype(dtype)

    return make


def scores_and_chances(random, size, dtype):
    return (random.normal(size=size) * 10).astype(dtype), random.uniform(0, 1, size).astype(dtype)


def rising(m, x):
    """log(1 + e^x)"""
    return np.where(x > 0, x, x * 0) + m.log1p(m.exp(-np.abs(x)))


def chance(m, x):
    e = m.exp(-np.abs(x))
    return np.where(x > 0, x * 0 + 1, e) / (1 + e)


WEIGHT = 2.7  # of positive targets


def weighted(m, x, t):
    return (constant(m, WEIGHT) * t * rising(m, -x) + (1 - t) * rising(m, x),)


def weighted_slope(m, x, t):
    return (1 - t) * chance(m, x), -constant(m, WEIGHT) * t * chance(m, -x)


def torch_scores(torch, x, t, weight=None):
    weight = None if weight is None else torch.tensor(weight)
    return torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none", pos_weight=weight)


ANSWERS = [
    *both(
        "BCELoss",
        pynet.BCELoss,
        "p from 1e-9 to near 1, any target",
        chances,
        lambda m, p, t: (-t * m.log(p) - (1 - t) * m.log1p(-p),),
        lambda m, p, t: ((p - t) / np.maximum(p * (1 - p), constant(m, 1e-12)),),
        lambda torch, p, t: torch.nn.functional.binary_cross_entropy(p, t, reduction="none"),
        ((3, 3), (1, 3)),
    ),
    *(
        row
        for scale, right in ((1, True), (1, False), (30, True), (30, False))
        for row in both(
            "BCEWithLogitsLoss",
            pynet.BCEWithLogitsLoss,
            f"{'right' if right else 'wrong'} answer, scale {scale}",
            scores(scale, right),
            lambda m, x, t: (rising(m, np.where(t > 0, -x, x)),),
            lambda m, x, t: (np.where(t > 0, -chance(m, -x), chance(m, x)),),
            torch_scores,
            ((3, 3), (3, 3)),
            numpy=(
                lambda x, t: np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))),
                lambda x, t: 1 / (1 + np.exp(-x)) - t,
            ),
        )
    ),
    *both(
        f"BCEWithLogitsLoss(pos_weight={WEIGHT})",
        lambda reduction: pynet.BCEWithLogitsLoss(reduction, WEIGHT),
        "scale 10, any target",
        scores_and_chances,
        weighted,
        weighted_slope,
        lambda torch, x, t: torch_scores(torch, x, t, WEIGHT),
        ((3, 3), (3, 4)),
        ("ULP", TERMS),
    ),
]

LOSSES = [*DISTANCES, *ANSWERS]
