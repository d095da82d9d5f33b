"""pynet, compiled: what `Trainer` does by itself."""

from typing import Any

import cells
import numpy as np

import pynet


def network(cell: cells.Cell) -> pynet.Sequential:
    """Return the cell's model with its initial weights."""
    layers: list[Any] = []
    for i, (W, b) in enumerate(cells.initial_weights(cell)):
        if i > 0:
            layers += _between(cell, W.shape[1])
        layers.append(pynet.Linear(*W.shape[::-1], dtype=cell.dtype))
        layers[-1].W[...], layers[-1].b[...] = W, b
    return pynet.Sequential(*layers)


def _between(cell: cells.Cell, width: int) -> list[Any]:
    if not cell.regular:
        return [pynet.ReLU()]
    norm = pynet.BatchNorm(width, eps=cells.BN_EPS, momentum=cells.BN_MOMENTUM, dtype=cell.dtype)
    return [norm, pynet.ReLU(), pynet.Dropout(cell.dropout)]


def optimizer(cell: cells.Cell, model: pynet.Sequential) -> pynet.optim.Optimizer:
    """Return the cell's optimizer."""
    if cell.optimizer == "adam":
        return pynet.optim.Adam(model, cells.ADAM_LR, betas=cells.BETAS, eps=cells.EPS)
    return pynet.optim.SGD(model, cells.LR, momentum=cells.MOMENTUM)


class Peer:
    """One call per step."""

    steps, scores = 1, True

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        pynet.set_num_threads(threads)
        self.batches, self.model = cells.data(cell), network(cell)
        self._step = pynet.compile_step(self.model, pynet.CrossEntropyLoss(), optimizer(cell, self.model))
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
        linears = [layer for layer in self.model if isinstance(layer, pynet.Linear)]
        return [array for layer in linears for array in (layer.W, layer.b)]
