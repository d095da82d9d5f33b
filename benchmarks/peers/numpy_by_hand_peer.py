"""NumPy by hand: what a careful student writes, in place where that is faster."""

from typing import Any

import cells
import numpy as np


class Peer:
    """Lists of arrays and a loop."""

    steps, scores = 1, True

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        self.batches = cells.data(cell)
        self._parameters = [np.array(array) for pair in cells.initial_weights(cell) for array in pair]
        self._velocities = [np.zeros_like(array) for array in self._parameters]

    def _forward(self, x: np.ndarray) -> list[np.ndarray]:
        values, layers = [x], len(self._parameters) // 2
        for i in range(layers):
            z = values[-1] @ self._parameters[2 * i].T
            z += self._parameters[2 * i + 1]
            if i < layers - 1:
                np.maximum(z, 0, out=z)
            values.append(z)
        return values

    def train(self, i: int) -> Any:
        """Run a step."""
        x, y = self.batches[i]
        values, rows = self._forward(x), np.arange(len(y))
        scores = values[-1] - values[-1].max(axis=1, keepdims=True)
        gradient = np.exp(scores)
        sums = gradient.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(sums[:, 0]) - scores[rows, y])
        gradient /= sums
        gradient[rows, y] -= 1
        gradient /= len(y)
        gradients: list[np.ndarray] = []
        for layer in range(len(values) - 2, -1, -1):
            gradients = [gradient.T @ values[layer], gradient.sum(axis=0), *gradients]
            if layer:
                gradient = gradient @ self._parameters[2 * layer]
                gradient *= values[layer] > 0
        for parameter, velocity, g in zip(self._parameters, self._velocities, gradients, strict=True):
            velocity *= cells.MOMENTUM
            velocity += g
            parameter -= np.float32(cells.LR) * velocity
        return loss

    def predict(self, i: int) -> Any:
        """Run forward."""
        return self._forward(self.batches[i][0])[-1]

    def finish(self, value: Any) -> Any:
        """There is nothing to wait for."""
        return value

    def weights(self) -> list[np.ndarray]:
        """Return the weights as they are now."""
        return self._parameters
