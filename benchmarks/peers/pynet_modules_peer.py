"""pynet, module by module: the loop of the course."""

from typing import Any

import cells

import pynet
from peers import pynet_peer


class Peer(pynet_peer.Peer):
    """A call for every layer, forward and backward."""

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        super().__init__(cell, threads)
        self.model = pynet_peer.network(cell)
        self._criterion = pynet.CrossEntropyLoss()
        self._optimizer = pynet_peer.optimizer(cell, self.model)

    def train(self, i: int) -> Any:
        """Run a step."""
        x, y = self.batches[i]
        if not self.model.training:
            self.model.train()
        output = self.model.forward(x)
        loss = self._criterion.forward(output, y)
        self.model.backward(x, self._criterion.backward(output, y))
        self._optimizer.step()
        return loss

    def predict(self, i: int) -> Any:
        """Run forward."""
        if self.model.training:
            self.model.eval()
        return self.model.forward(self.batches[i][0])
