"""scikit-learn's MLPClassifier: one call trains on many batches, so that checking the data costs little per step."""

from typing import Any

import cells
import numpy as np
from sklearn.neural_network import MLPClassifier


class Peer:
    """`partial_fit` on all batches one after another."""

    steps, scores = cells.BATCHES, False

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        self.batches = cells.data(cell)
        self._x = np.concatenate([x for x, _ in self.batches])
        self._y = np.concatenate([y for _, y in self.batches])
        self._model = MLPClassifier(
            cell.sizes[1:-1],
            solver=cell.optimizer,
            momentum=cells.MOMENTUM,
            nesterovs_momentum=False,
            beta_1=cells.BETAS[0],
            beta_2=cells.BETAS[1],
            epsilon=cells.EPS,
            learning_rate_init=cells.ADAM_LR if cell.optimizer == "adam" else cells.LR,
            alpha=0.0,
            batch_size=cell.batch,
            shuffle=False,
        )
        self._model.partial_fit(*self.batches[0], classes=np.arange(cell.sizes[-1]))
        for i, (W, b) in enumerate(cells.initial_weights(cell)):
            self._model.coefs_[i][...], self._model.intercepts_[i][...] = W.T, b
        optimizer = self._model._optimizer
        optimizer.t = 0
        for name in ("velocities", "ms", "vs"):
            for array in getattr(optimizer, name, ()):
                array[...] = 0

    def train(self, i: int) -> Any:
        """Run a step on every batch; the loss is their mean."""
        self._model.partial_fit(self._x, self._y)
        return self._model.loss_

    def predict(self, i: int) -> Any:
        """Return probabilities: it has nothing that returns scores."""
        return self._model.predict_proba(self.batches[i][0])

    def finish(self, value: Any) -> Any:
        """There is nothing to wait for."""
        return value

    def weights(self) -> list[np.ndarray]:
        """Return the weights as they are now."""
        pairs = zip(self._model.coefs_, self._model.intercepts_, strict=True)
        return [array for W, b in pairs for array in (W.T, b)]
