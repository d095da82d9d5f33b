"""What is measured: models, batches and data, the same for everybody."""

from typing import NamedTuple

import numpy as np

MODELS = {
    "tiny": (8, 64, 64, 4),
    "digits": (64, 128, 10),
    "notebook": (784, 256, 128, 10),
    "wide": (1024, 2048, 2048, 1000),
}
LR, MOMENTUM = 0.01, 0.9
BATCHES = 8  # different ones, in rotation


class Cell(NamedTuple):
    """A model, Linear with ReLU between, and how many rows it gets at a time."""

    model: str
    batch: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, hidden units, classes."""
        return MODELS[self.model]

    @property
    def weights(self) -> int:
        """How many numbers the weight matrices hold."""
        return sum(a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False))

    def operations(self, training: bool) -> float:
        """Floating-point operations of the products; the first layer needs no gradient at its input."""
        forward = 2.0 * self.batch * self.weights
        return 3 * forward - 2.0 * self.batch * self.sizes[0] * self.sizes[1] if training else forward

    def bytes(self, training: bool) -> float:
        """Bytes of weights and velocities that must be read and written, in float32, and of the input."""
        first = self.sizes[0] * self.sizes[1]
        passes = 5 * first + 5 * (self.weights - first) if training else self.weights
        return 4.0 * (passes + self.batch * self.sizes[0])


SMALL = [
    *(Cell("tiny", batch) for batch in (1, 32, 256)),
    *(Cell("digits", batch) for batch in (32, 128)),
    *(Cell("notebook", batch) for batch in (1, 32, 64)),
]
LARGE = [*(Cell("notebook", batch) for batch in (256, 2048)), *(Cell("wide", batch) for batch in (32, 256))]


def initial_weights(cell: Cell) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return W (out, in) and b (out,) of every layer."""
    random = np.random.default_rng(0)
    found = []
    for a, b in zip(cell.sizes, cell.sizes[1:], strict=False):
        bound = 1 / np.sqrt(a)
        found.append(
            (
                random.uniform(-bound, bound, (b, a)).astype(np.float32),
                random.uniform(-bound, bound, b).astype(np.float32),
            )
        )
    return found


def data(cell: Cell) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the batches: inputs and labels that a network can learn."""
    random = np.random.default_rng(1)
    centers = random.normal(size=(cell.sizes[-1], cell.sizes[0]))
    batches = []
    for _ in range(BATCHES):
        labels = random.integers(0, cell.sizes[-1], cell.batch)
        inputs = centers[labels] + random.normal(size=(cell.batch, cell.sizes[0]))
        batches.append((inputs.astype(np.float32), labels))
    return batches
