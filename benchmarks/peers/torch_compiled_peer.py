"""PyTorch, compiled: model and loss as one graph each way, and the model for inference."""

from typing import Any

import cells
import torch

from peers import torch_eager_peer


class Peer(torch_eager_peer.Peer):
    """torch.compile of the loss; the fused optimizer stays as it is."""

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        super().__init__(cell, threads)
        torch._dynamo.reset()
        self._loss = torch.compile(self._of_batch, dynamic=False)
        self._predict = torch.compile(self.model, dynamic=False)

    def predict(self, i: int) -> Any:
        """Run forward."""
        if self.model.training:
            self.model.eval()
        with torch.inference_mode():
            return self._predict(self.batches[i][0])
