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
        dtype = getattr(torch, cell.dtype)
        layers: list[Any] = []
        for i, (W, b) in enumerate(cells.initial_weights(cell)):
            if i > 0:
                layers += _between(cell, W.shape[1], dtype)
            layers.append(torch.nn.Linear(*W.shape[::-1], dtype=dtype))
            layers[-1].weight.data, layers[-1].bias.data = torch.from_numpy(W), torch.from_numpy(b)
        self.model = torch.nn.Sequential(*layers)
        self.batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in cells.data(cell)]
        # fused=True is the fastest of the three ways that these have on a CPU.
        parameters = self.model.parameters()
        if cell.optimizer == "adam":
            self._optimizer = torch.optim.Adam(parameters, cells.ADAM_LR, cells.BETAS, cells.EPS, fused=True)
        else:
            self._optimizer = torch.optim.SGD(parameters, cells.LR, momentum=cells.MOMENTUM, fused=True)
        self._loss = self._of_batch

    def _of_batch(self, x: Any, y: Any) -> Any:
        return torch.nn.functional.cross_entropy(self.model(x), y)

    def train(self, i: int) -> Any:
        """Run a step."""
        if not self.model.training:
            self.model.train()
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(*self.batches[i])
        loss.backward()
        self._optimizer.step()
        return loss

    def predict(self, i: int) -> Any:
        """Run forward."""
        if self.model.training:
            self.model.eval()
        with torch.inference_mode():
            return self.model(self.batches[i][0])

    def finish(self, value: Any) -> Any:
        """Return it as NumPy's."""
        return value.detach().numpy()

    def weights(self) -> list[np.ndarray]:
        """Return the weights as they are now."""
        linears = [layer for layer in self.model if isinstance(layer, torch.nn.Linear)]
        return [array.detach().numpy() for layer in linears for array in (layer.weight, layer.bias)]


def _between(cell: cells.Cell, width: int, dtype: torch.dtype) -> list[Any]:
    if not cell.regular:
        return [torch.nn.ReLU()]
    norm = torch.nn.BatchNorm1d(width, cells.BN_EPS, cells.BN_MOMENTUM, dtype=dtype)
    return [norm, torch.nn.ReLU(), torch.nn.Dropout(cell.dropout)]
