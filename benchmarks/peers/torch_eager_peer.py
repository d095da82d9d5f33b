"""PyTorch, eager: fused multi-tensor SGD, inference mode."""

from typing import Any

import cells
import numpy as np
import torch


class Peer:
    """Tensors that are made once, outside of what is timed."""

    steps, scores = 1, True

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        torch.set_num_threads(threads)
        layers: list[Any] = []
        for W, b in cells.initial_weights(cell):
            layers += [torch.nn.Linear(*W.shape[::-1]), torch.nn.ReLU()]
            layers[-2].weight.data, layers[-2].bias.data = torch.from_numpy(W), torch.from_numpy(b)
        self.model = torch.nn.Sequential(*layers[:-1])
        self.batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in cells.data(cell)]
        # fused=True is the fastest of the three ways that torch.optim.SGD has on a CPU.
        self._optimizer = torch.optim.SGD(self.model.parameters(), cells.LR, momentum=cells.MOMENTUM, fused=True)
        self._loss = self._of_batch

    def _of_batch(self, x: Any, y: Any) -> Any:
        return torch.nn.functional.cross_entropy(self.model(x), y)

    def train(self, i: int) -> Any:
        """Run a step."""
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(*self.batches[i])
        loss.backward()
        self._optimizer.step()
        return loss

    def predict(self, i: int) -> Any:
        """Run forward."""
        with torch.inference_mode():
            return self.model(self.batches[i][0])

    def finish(self, value: Any) -> Any:
        """Return it as NumPy's."""
        return value.detach().numpy()

    def weights(self) -> list[np.ndarray]:
        """Return the weights as they are now."""
        return [parameter.detach().numpy() for parameter in self.model.parameters()]
