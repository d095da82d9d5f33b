"""JAX: the whole step under jit, with the old state's memory donated."""

from functools import partial
from typing import Any

import cells
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_default_prng_impl", "rbg")  # cheaper than the default, for Dropout


def _forward(layers: Any, norms: Any, running: Any, x: Any, key: Any, dropout: float) -> Any:
    """Return scores and running statistics; in evaluation without a key."""
    moved = []
    for i, (W, b) in enumerate(layers):
        x = x @ W.T + b
        if i == len(layers) - 1:
            break
        if norms:
            (mean, var), rows = running[i], x.shape[0]
            if key is not None:
                batch, spread = x.mean(axis=0), x.var(axis=0)
                keep = 1 - cells.BN_MOMENTUM
                moved.append(
                    (
                        keep * mean + cells.BN_MOMENTUM * batch,
                        keep * var + cells.BN_MOMENTUM * spread * (rows / (rows - 1)),
                    )
                )
                mean, var = batch, spread
            weight, bias = norms[i]
            x = (x - mean) * (weight * jax.lax.rsqrt(var + cells.BN_EPS)) + bias
        x = jax.nn.relu(x)
        if norms and key is not None:
            mask = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - dropout, x.shape)
            x = jnp.where(mask, x / (1 - dropout), 0)
    return x, moved


def _loss(parameters: Any, running: Any, x: Any, y: Any, key: Any, dropout: float) -> Any:
    scores, moved = _forward(*parameters, running, x, key, dropout)
    scores = jax.nn.log_softmax(scores)
    return -jnp.mean(jnp.take_along_axis(scores, y[:, None], axis=1)), moved


def _sgd(p: Any, g: Any, kept: Any, _: Any) -> Any:
    v = cells.MOMENTUM * kept[0] + g
    return p - cells.LR * v, (v,)


def _adam(p: Any, g: Any, kept: Any, t: Any) -> Any:
    b1, b2 = cells.BETAS
    m, v = b1 * kept[0] + (1 - b1) * g, b2 * kept[1] + (1 - b2) * g * g
    correction1, correction2 = (-jnp.expm1(t * np.log(b)) for b in cells.BETAS)  # 1 - b^t without loss of digits
    below = jnp.sqrt(v / correction2) + cells.EPS
    return p - cells.ADAM_LR / correction1 * m / below, (m, v)


@partial(jax.jit, donate_argnums=(0,), static_argnums=(3, 4))
def _step(state: Any, x: Any, y: Any, optimizer: str, dropout: float) -> Any:
    parameters, kept, running, key, t = state
    key, draw = jax.random.split(key) if running else (key, key)
    (loss, running), gradients = jax.value_and_grad(_loss, has_aux=True)(parameters, running, x, y, draw, dropout)
    t = t + 1
    update = _adam if optimizer == "adam" else _sgd
    leaves, tree = jax.tree.flatten(parameters)
    both = [update(*each, t) for each in zip(leaves, jax.tree.leaves(gradients), kept, strict=True)]
    parameters = jax.tree.unflatten(tree, [p for p, _ in both])
    return (parameters, [k for _, k in both], running, key, t), loss


class Peer:
    """Steps are dispatched ahead; the last one is waited for."""

    steps, scores = 1, True

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        self._cell = cell
        layers = [(jnp.asarray(W), jnp.asarray(b)) for W, b in cells.initial_weights(cell)]
        widths = [W.shape[0] for W, _ in layers[:-1]] if cell.regular else []
        parameters = layers, [(jnp.ones(width), jnp.zeros(width)) for width in widths]
        running = [(jnp.zeros(width), jnp.ones(width)) for width in widths]
        copies = 2 if cell.optimizer == "adam" else 1
        kept = [tuple(jnp.zeros_like(leaf) for _ in range(copies)) for leaf in jax.tree.leaves(parameters)]
        self._frozen = jax.tree.map(jnp.copy, (*parameters, running))
        self._state: Any = (parameters, kept, running, jax.random.key(0), jnp.zeros(()))
        self.batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in cells.data(cell)]
        self._predict = jax.jit(lambda frozen, x: _forward(*frozen, x, None, 0.0)[0])

    def train(self, i: int) -> Any:
        """Run a step."""
        self._state, loss = _step(self._state, *self.batches[i], self._cell.optimizer, self._cell.dropout)
        return loss

    def predict(self, i: int) -> Any:
        """Run forward."""
        return self._predict(self._frozen, self.batches[i][0])

    def finish(self, value: Any) -> Any:
        """Wait for it."""
        return np.asarray(jax.block_until_ready(value))

    def weights(self) -> list[np.ndarray]:
        """Return the weights as they are now."""
        return [np.asarray(array) for pair in self._state[0][0] for array in pair]
