"""NumPy by hand: what a careful student writes, in place where that is faster."""

from typing import Any

import cells
import numpy as np


class Peer:
    """Lists of arrays and a loop."""

    steps, scores = 1, True

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        self.batches, self._cell = cells.data(cell), cell
        self._layers = cells.initial_weights(cell)
        self._norms = [_Norm(W.shape[0], cell) for W, _ in self._layers[:-1]] if cell.regular else []
        parameters = [array for pair in self._layers for array in pair]
        parameters += [array for norm in self._norms for array in (norm.weight, norm.bias)]
        self._optimizer = (_Adam if cell.optimizer == "adam" else _Sgd)(parameters)
        self._random = np.random.default_rng(0)

    def train(self, i: int) -> Any:
        """Run a step."""
        x, y = self.batches[i]
        values, masks, rows = [x], [], np.arange(len(y))
        for layer, (W, b) in enumerate(self._layers):
            z = values[-1] @ W.T
            z += b
            if layer < len(self._layers) - 1:
                if self._norms:
                    z = self._norms[layer].forward(z)
                np.maximum(z, 0, out=z)
                if self._norms:
                    masks.append(self._mask(z.shape))
                    z *= masks[-1]
            values.append(z)
        scores = values[-1] - values[-1].max(axis=1, keepdims=True)
        gradient = np.exp(scores)
        sums = gradient.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(sums[:, 0]) - scores[rows, y])
        gradient /= sums
        gradient[rows, y] -= 1
        gradient /= len(y)
        gradients: list[np.ndarray] = []
        of_norms: list[np.ndarray] = []
        for layer in range(len(self._layers) - 1, -1, -1):
            gradients = [gradient.T @ values[layer], gradient.sum(axis=0), *gradients]
            if layer:
                gradient = gradient @ self._layers[layer][0]
                if self._norms:
                    gradient *= masks[layer - 1]
                gradient *= values[layer] > 0
                if self._norms:
                    gradient, *of_norm = self._norms[layer - 1].backward(gradient)
                    of_norms = [*of_norm, *of_norms]
        self._optimizer.step(gradients + of_norms)
        return loss

    def _mask(self, shape: tuple[int, ...]) -> np.ndarray:
        keep = np.float32(1 - self._cell.dropout)
        mask = (self._random.random(shape, dtype=np.float32) < keep).astype(self._cell.dtype)
        mask /= keep
        return mask

    def predict(self, i: int) -> Any:
        """Run forward."""
        x = self.batches[i][0]
        for layer, (W, b) in enumerate(self._layers):
            x = x @ W.T
            x += b
            if layer < len(self._layers) - 1:
                if self._norms:
                    x = self._norms[layer].evaluate(x)
                np.maximum(x, 0, out=x)
        return x

    def finish(self, value: Any) -> Any:
        """There is nothing to wait for."""
        return value

    def weights(self) -> list[np.ndarray]:
        """Return the weights as they are now."""
        return [array for pair in self._layers for array in pair]


class _Norm:
    """BatchNorm."""

    def __init__(self, width: int, cell: cells.Cell) -> None:
        self.weight, self.bias = np.ones(width, cell.dtype), np.zeros(width, cell.dtype)
        self._mean, self._var = np.zeros(width, cell.dtype), np.ones(width, cell.dtype)

    def forward(self, z: np.ndarray) -> np.ndarray:
        mean = z.mean(axis=0)
        z -= mean
        var = np.einsum("nc,nc->c", z, z) / len(z)
        self._scale = 1 / np.sqrt(var + cells.BN_EPS).astype(z.dtype)
        z *= self._scale
        self._normalized = z
        momentum = cells.BN_MOMENTUM
        self._mean += momentum * (mean - self._mean)
        self._var += momentum * (var * (len(z) / (len(z) - 1)) - self._var)
        return z * self.weight + self.bias

    def backward(self, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        of_bias = gradient.sum(axis=0)
        of_weight = np.einsum("nc,nc->c", gradient, self._normalized)
        rows = gradient.dtype.type(len(gradient))
        gradient -= of_bias / rows
        gradient -= self._normalized * (of_weight / rows)
        gradient *= self.weight * self._scale
        return gradient, of_weight, of_bias

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        scale = self.weight / np.sqrt(self._var + self._var.dtype.type(cells.BN_EPS))
        x *= scale
        x += self.bias - self._mean * scale
        return x


class _Sgd:
    """With momentum."""

    def __init__(self, parameters: list[np.ndarray]) -> None:
        self._parameters = parameters
        self._velocities = [np.zeros_like(array) for array in parameters]

    def step(self, gradients: list[np.ndarray]) -> None:
        for parameter, velocity, g in zip(self._parameters, self._velocities, gradients, strict=True):
            velocity *= cells.MOMENTUM
            velocity += g
            parameter -= parameter.dtype.type(cells.LR) * velocity


class _Adam:
    """As in the paper, with the corrections of both averages."""

    def __init__(self, parameters: list[np.ndarray]) -> None:
        self._parameters, self._steps = parameters, 0
        self._means = [np.zeros_like(array) for array in parameters]
        self._squares = [np.zeros_like(array) for array in parameters]

    def step(self, gradients: list[np.ndarray]) -> None:
        self._steps += 1
        (b1, b2), t = cells.BETAS, self._steps
        rate, root = cells.ADAM_LR / (1 - b1**t), 1 / np.sqrt(1 - b2**t)
        for p, m, v, g in zip(self._parameters, self._means, self._squares, gradients, strict=True):
            number = p.dtype.type
            m *= number(b1)
            m += number(1 - b1) * g
            v *= number(b2)
            g *= g
            g *= number(1 - b2)
            v += g
            below = np.sqrt(v)
            below *= number(root)
            below += number(cells.EPS)
            np.divide(m, below, out=below)
            below *= number(rate)
            p -= below
