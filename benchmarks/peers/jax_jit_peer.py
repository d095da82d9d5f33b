"""JAX: the whole step under jit, with the old parameters' memory donated."""

from functools import partial
from typing import Any

import cells
import jax
import jax.numpy as jnp
import numpy as np


def _forward(parameters: Any, x: Any) -> Any:
    for W, b in parameters[:-1]:
        x = jax.nn.relu(x @ W.T + b)
    W, b = parameters[-1]
    return x @ W.T + b


def _loss(parameters: Any, x: Any, y: Any) -> Any:
    scores = jax.nn.log_softmax(_forward(parameters, x))
    return -jnp.mean(jnp.take_along_axis(scores, y[:, None], axis=1))


@partial(jax.jit, donate_argnums=(0, 1))
def _step(parameters: Any, velocities: Any, x: Any, y: Any) -> Any:
    loss, gradients = jax.value_and_grad(_loss)(parameters, x, y)
    velocities = jax.tree.map(lambda v, g: cells.MOMENTUM * v + g, velocities, gradients)
    parameters = jax.tree.map(lambda p, v: p - cells.LR * v, parameters, velocities)
    return parameters, velocities, loss


class Peer:
    """Steps are dispatched ahead; the last one is waited for."""

    steps, scores = 1, True

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        self._parameters = [(jnp.asarray(W), jnp.asarray(b)) for W, b in cells.initial_weights(cell)]
        self._velocities = jax.tree.map(jnp.zeros_like, self._parameters)
        self.batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in cells.data(cell)]
        self._frozen = jax.tree.map(jnp.copy, self._parameters)
        self._predict = jax.jit(_forward)

    def train(self, i: int) -> Any:
        """Run a step."""
        self._parameters, self._velocities, loss = _step(self._parameters, self._velocities, *self.batches[i])
        return loss

    def predict(self, i: int) -> Any:
        """Run forward."""
        return self._predict(self._frozen, self.batches[i][0])

    def finish(self, value: Any) -> Any:
        """Wait for it."""
        return np.asarray(jax.block_until_ready(value))

    def weights(self) -> list[np.ndarray]:
        """Return the weights as they are now."""
        return [np.asarray(array) for pair in self._parameters for array in pair]
