"""pynet, compiled: what `Trainer` does by itself."""

from typing import Any

import cells
import numpy as np

import pynet


def network(cell: cells.Cell) -> pynet.Sequential:
    """Return the cell's model with its initial weights."""
    layers: list[Any] = []
    for W, b in cells.initial_weights(cell):
        layers += [pynet.Linear(*W.shape[::-1], dtype=np.float32), pynet.ReLU()]
        layers[-2].W[...], layers[-2].b[...] = W, b
    return pynet.Sequential(*layers[:-1])


class Peer:
    """One call per step."""

    steps, scores = 1, True

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        pynet.set_num_threads(threads)
        self.batches, self.model = cells.data(cell), network(cell)
        optimizer = pynet.optim.SGD(self.model, cells.LR, momentum=cells.MOMENTUM)
        self._step = pynet.compile_step(self.model, pynet.CrossEntropyLoss(), optimizer)
        self._predict = pynet.compile_predict(self.model, freeze=True)

    def train(self, i: int) -> Any:
        """Run a step."""
        return self._step(*self.batches[i])

    def predict(self, i: int) -> Any:
        """Predict from frozen weights."""
        return self._predict(self.batches[i][0])

    def finish(self, value: Any) -> Any:
        """There is nothing to wait for."""
        return value

    def weights(self) -> list[np.ndarray]:
        """Return the weights as they are now."""
        return self.model.parameters()
