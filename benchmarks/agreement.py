"""Whether all peers compute the same, before anybody is timed; without Dropout, which draws its own numbers."""

from typing import Any

import cells
import numpy as np

STEPS = cells.BATCHES + 2
TOLERANCE = 1e-4
ADAM_LOSSES = 1e-2


def check(cell: cells.Cell, peers: dict[str, Any]) -> dict[str, float]:
    """Have each predict and run ten steps; return how far each is from NumPy, and raise if that is too far."""
    found = {name: _results(peer) for name, peer in peers.items()}
    expected, distances = found["numpy_by_hand"], {}
    for name, results in found.items():
        # Adam divides by the gradient's own size: one that is nothing but rounding moves a weight by a whole step.
        # scikit-learn adds its epsilon before the corrections, so its first steps are shorter where gradients are tiny.
        adam = cell.optimizer == "adam"
        distance, tolerance = (np.mean, cells.ADAM_LR / 2) if adam else (np.max, TOLERANCE)
        far = {key: _distance(results[key], expected[key], distance) for key in results}
        distances[name] = max(far.values())
        # Losses follow from the weights of all layers together: they may be further apart than these.
        allowed = {key: ADAM_LOSSES if adam and key == "losses" else tolerance for key in far}
        if not all(far[key] <= allowed[key] for key in far):
            raise AssertionError(f"{name} at {cell} differs from NumPy by {far}")
    return distances


def _results(peer: Any) -> dict[str, list[np.ndarray]]:
    """Return scores before training, losses, and weights after one round of the batches and after all steps."""
    results = {}
    if peer.scores:
        results["scores"] = [np.array(peer.finish(peer.predict(1)))]
    if peer.train is None:
        return results
    if peer.steps > 1:  # a whole round in one call, which returns a mean
        peer.finish(peer.train(0))
        return results | {"weights after a round": _copies(peer)}
    losses = [np.array(peer.finish(peer.train(i))) for i in range(cells.BATCHES)]
    results["weights after a round"] = _copies(peer)
    losses += [np.array(peer.finish(peer.train(i % cells.BATCHES))) for i in range(cells.BATCHES, STEPS)]
    return results | {"losses": losses, "weights": _copies(peer)}


def _copies(peer: Any) -> list[np.ndarray]:
    return [np.array(array) for array in peer.weights()]


def _distance(a: list[np.ndarray], b: list[np.ndarray], distance: Any) -> float:
    return max(float(distance(np.abs(x - y)) / max(1.0, float(np.max(np.abs(y))))) for x, y in zip(a, b, strict=True))
