"""What is measured: models, batches and data, the same for everybody."""

from typing import NamedTuple

import numpy as np

MODELS = {
    "tiny": (8, 64, 64, 4),
    "digits": (64, 128, 10),
    "notebook": (784, 256, 128, 10),
    "wide": (1024, 2048, 2048, 1000),
    "regular": (784, 256, 128, 10),  # the notebook's, with BatchNorm and Dropout behind every hidden layer
}
LR, MOMENTUM = 0.01, 0.9
ADAM_LR, BETAS, EPS = 0.001, (0.9, 0.999), 1e-8
BN_MOMENTUM, BN_EPS = 0.1, 1e-5
BATCHES = 8  # different ones, in rotation


class Cell(NamedTuple):
    """A model, Linear with ReLU between, how many rows it gets at a time, and how it learns."""

    model: str
    batch: int
    optimizer: str = "sgd"
    dtype: str = "float32"
    dropout: float = 0.5  # of the regular model

    @property
    def name(self) -> str:
        """What differs from the usual."""
        extras = [self.optimizer] * (self.optimizer != "sgd") + [self.dtype] * (self.dtype != "float32")
        return ", ".join([self.model, str(self.batch), *extras])

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, hidden units, classes: of a model by its name, or spelled out as in 64-32-10."""
        return MODELS.get(self.model) or tuple(int(size) for size in self.model.split("-"))

    @property
    def regular(self) -> bool:
        """Whether BatchNorm, ReLU and Dropout follow a hidden Linear, and not ReLU alone."""
        return self.model == "regular"

    @property
    def predicts(self) -> bool:
        """Whether prediction is measured: how a model has learned does not matter there."""
        return self.optimizer == "sgd"

    @property
    def weights(self) -> int:
        """How many numbers the weight matrices hold."""
        return sum(a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False))

    def operations(self, training: bool) -> float:
        """Floating-point operations of the products; the first layer needs no gradient at its input."""
        forward = 2.0 * self.batch * self.weights
        return 3 * forward - 2.0 * self.batch * self.sizes[0] * self.sizes[1] if training else forward

    def kept(self, training: bool) -> float:
        """Bytes of weights and of what the optimizer keeps of each."""
        arrays = (3 if self.optimizer == "adam" else 2) if training else 1
        return float(arrays * self.weights * np.dtype(self.dtype).itemsize)

    def bytes(self, training: bool) -> float:
        """Bytes that must be read and written: weights and what the optimizer keeps, and the input."""
        itemsize = np.dtype(self.dtype).itemsize
        # A training step reads the weights for forward, and what the optimizer keeps it reads and writes.
        passes = 2 * self.kept(True) + self.kept(False) if training else self.kept(False)
        return passes + float(itemsize * self.batch * self.sizes[0])


SMALL = [
    *(Cell("tiny", batch) for batch in (1, 32, 256)),
    *(Cell("digits", batch) for batch in (32, 128)),
    *(Cell("notebook", batch) for batch in (1, 32, 64)),
]
LARGE = [*(Cell("notebook", batch) for batch in (256, 2048)), *(Cell("wide", batch) for batch in (32, 256))]
ADAM = [cell._replace(optimizer="adam") for cell in SMALL + LARGE]
REGULAR = [Cell("regular", batch) for batch in (32, 64, 256, 2048)]  # of one row there is no variance
DOUBLE = [
    Cell(model, batch, dtype="float64")
    for model, batch in (("tiny", 32), ("digits", 128), ("notebook", 64), ("wide", 32))
]
GROUPS = {
    "Linear and ReLU, SGD with momentum 0.9": SMALL + LARGE,
    "Adam": ADAM,
    "BatchNorm, ReLU and Dropout 0.5, SGD with momentum 0.9": REGULAR,
    "float64, SGD with momentum 0.9": DOUBLE,
}


def initial_weights(cell: Cell) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return W (out, in) and b (out,) of every layer."""
    random = np.random.default_rng(0)
    found = []
    for a, b in zip(cell.sizes, cell.sizes[1:], strict=False):
        bound = 1 / np.sqrt(a)
        found.append(
            (
                random.uniform(-bound, bound, (b, a)).astype(cell.dtype),
                random.uniform(-bound, bound, b).astype(cell.dtype),
            )
        )
    return found


def data(cell: Cell) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the batches: inputs and labels that a network can learn. Very large ones are one batch, many times."""
    random = np.random.default_rng(1)
    centers = random.normal(size=(cell.sizes[-1], cell.sizes[0]))
    batches = []
    for _ in range(BATCHES):
        if batches and cell.batch * cell.sizes[0] > 2e6:
            batches.append(batches[0])
            continue
        labels = random.integers(0, cell.sizes[-1], cell.batch)
        inputs = centers[labels] + random.normal(size=(cell.batch, cell.sizes[0]))
        batches.append((inputs.astype(cell.dtype), labels))
    return batches
