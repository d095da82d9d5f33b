"""Networks drawn at random: 1 to 8 layers of every kind, 1 to 300 wide, users' layers among them."""

import copy
from typing import Any, NamedTuple

import activation_reference  # noqa: F401, which makes them known
import numpy as np
from own_layers import Scale, Shift, Softplus

import pynet
from pynet import protocol

STEPS = 20
SMOOTH = ("MSE", "MSELoss", "SmoothL1Loss", "HuberLoss")
CRITERIA = (*SMOOTH, "CrossEntropy", "CrossEntropyLoss", "NLLLoss", "KLDivLoss", "BCEWithLogitsLoss")

SAYS_ITS_WIDTH = (pynet.Linear, pynet.BatchNorm, pynet.LayerNorm, pynet.RMSNorm, pynet.GroupNorm)


class Drawn(NamedTuple):
    """A model, its loss, the options of its SGD, and a batch for each step."""

    model: Any
    criterion: Any
    sgd: dict[str, float]
    batches: list[tuple[np.ndarray, np.ndarray]]
    dtype: Any

    @property
    def is_ours(self):
        return not any(isinstance(layer, Scale | Shift | Softplus) for _, layer in protocol.modules(self.model))

    @property
    def can_be_compiled(self):
        """Whether all layers can, one learns, and one says how many features there are."""
        says = any(
            isinstance(layer, SAYS_ITS_WIDTH) or getattr(layer, "num_parameters", 1) > 1
            for _, layer in protocol.modules(self.model)
        )
        return self.is_ours and says and bool(self.model.parameters())


def layer(random, width, own):
    """A layer for inputs of this width, and the width of its outputs."""
    seed = int(random.integers(1000))
    kinds = [
        pynet.ReLU,
        lambda: pynet.LeakyReLU(float(random.choice([0.03, 0.2, 1.0]))),
        pynet.Sigmoid,
        pynet.Tanh,
        pynet.SoftMax,
        pynet.LogSoftMax,
        lambda: pynet.Dropout(float(random.choice([0, 0.2, 0.5]))),
        lambda: pynet.BatchNorm(width, momentum=0.3, affine=bool(random.integers(2))),
        pynet.Flatten,
        pynet.Identity,
        pynet.ELU,
        pynet.SELU,
        lambda: pynet.GELU(str(random.choice(["none", "tanh"]))),
        pynet.SiLU,
        pynet.Mish,
        lambda: pynet.Softplus(float(random.choice([0.5, 1.0, 2.0])), 60.0),
        pynet.Softsign,
        lambda: pynet.Hardtanh(-0.5, 2.0),
        pynet.ReLU6,
        pynet.Hardsigmoid,
        pynet.LogSigmoid,
        lambda: pynet.PReLU(int(random.choice([1, width]))),
    ]
    kinds += [
        lambda: pynet.LayerNorm(width, elementwise_affine=bool(random.integers(4)), bias=bool(random.integers(2))),
        lambda: pynet.RMSNorm(width, eps=0.01),
        lambda: pynet.GroupNorm(some_divisor(random, width), width, affine=bool(random.integers(4))),
        lambda: residual(random, width, own),
        lambda: parallel(random, width, own),
    ]
    kinds += [lambda: Scale(width), lambda: Shift(width), Softplus] if own else []
    choice = int(random.integers(2 * len(kinds)))
    if choice < len(kinds):
        return kinds[choice](), width
    wide = some_width(random)
    return pynet.Linear(width, wide, bias=bool(random.integers(4)), seed=seed), wide


def residual(random, width, own):
    """One that ends as wide as it begins."""
    made, inside = layer(random, width, own)
    return pynet.Residual(made, *([] if inside == width else [pynet.Linear(inside, width, seed=width)]))


def parallel(random, width, own):
    """Two branches of the same width."""
    seed, half = int(random.integers(1000)), width // 2
    if half and width - half and random.integers(2):
        return pynet.Parallel(
            pynet.Linear(width, half, seed=seed), pynet.Linear(width, width - half, seed=seed), merge="cat"
        )
    return pynet.Parallel(pynet.Linear(width, width, seed=seed), residual(random, width, own))


def some_divisor(random, width):
    return int(random.choice([n for n in range(1, width + 1) if width % n == 0]))


def some_width(random):
    return int(np.exp(random.uniform(0, np.log(300.99))))


def draw(seed):
    """The network of this seed; every second one in float32, every third one with users' layers."""
    random = np.random.default_rng(seed)
    dtype, own = (np.float64, np.float32)[seed % 2], seed % 3 == 0
    first = width = some_width(random)
    layers = []
    for _ in range(random.integers(1, 9)):
        made, width = layer(random, width, own)
        inside = layers[-1] if layers and isinstance(layers[-1], pynet.Sequential) else None
        if inside is not None and random.integers(2):
            inside.append(made)
        else:
            layers.append(pynet.Sequential(made) if random.integers(8) == 0 else made)
    criterion = CRITERIA[int(random.integers(len(CRITERIA)))]
    if criterion in ("CrossEntropy", "NLLLoss", "KLDivLoss"):
        layers.append(pynet.SoftMax() if criterion == "CrossEntropy" else pynet.LogSoftMax())
    rows = int(np.exp(random.uniform(np.log(2), np.log(60))))
    loss = getattr(pynet, criterion)(**options_of(random, criterion, width))
    batches = [
        (random.normal(size=(rows, first)).astype(dtype), a_target(random, criterion, rows, width, dtype))
        for _ in range(STEPS)
    ]
    model = pynet.Sequential(*layers).astype(dtype)
    sgd = {"lr": steady_lr(model, loss, *batches[0]), "momentum": float(random.choice([0, 0.9]))}
    return Drawn(model, loss, sgd, batches, dtype)


def options_of(random, criterion, width):
    """Every second one has some."""
    weights = random.uniform(0.5, 2, width)
    options = {
        "CrossEntropyLoss": {"label_smoothing": 0.1, "weight": weights},
        "NLLLoss": {"weight": weights},
        "BCEWithLogitsLoss": {"pos_weight": weights},
        "KLDivLoss": {"reduction": "batchmean"},
        "HuberLoss": {"delta": 0.3},
        "SmoothL1Loss": {"beta": 0.3, "reduction": "mean"},
    }
    return options.get(criterion, {}) if random.integers(2) else {}


def steady_lr(model, criterion, x, y):
    """At most 0.01, and so small that the first step moves no weight by more than a hundredth of the largest."""
    trial = copy.deepcopy(model)
    trial.backward(x, criterion.backward(trial.forward(x), y))
    weight, gradient = (
        max((float(np.abs(array).max(initial=0)) for array in arrays), default=1.0)
        for arrays in (trial.parameters(), trial.grad_parameters())
    )
    return 0.01 * min(1.0, weight / max(gradient, 1e-9))


def a_target(random, criterion, rows, classes, dtype):
    if criterion in SMOOTH:
        return random.normal(size=(rows, classes)).astype(dtype)
    if criterion == "BCEWithLogitsLoss":
        return random.integers(2, size=(rows, classes)).astype(dtype)
    if random.integers(2) and criterion != "KLDivLoss":
        return random.integers(0, classes, rows)
    return random.dirichlet(np.ones(classes), rows).astype(dtype)
