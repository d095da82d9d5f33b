"""Small models, data and helpers for tests of the Trainer."""

import numpy as np

import pynet
from pynet.callbacks import Callback

random = np.random.default_rng(0)
X = random.normal(size=(50, 4))
labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
amounts = X @ np.arange(4.0)


def classifier(dtype=np.float64, extra=()):
    return pynet.Sequential(pynet.Linear(4, 8, seed=0), *extra, pynet.Tanh(), pynet.Linear(8, 3, seed=1)).astype(dtype)


def regressor():
    return pynet.Sequential(pynet.Linear(4, 8, seed=0), pynet.Tanh(), pynet.Linear(8, 1, seed=1))


def trainer_of(model, criterion=None, lr=0.1, **options):
    return pynet.Trainer(model, criterion or pynet.CrossEntropyLoss(), pynet.optim.SGD(model, lr, 0.9), **options)


class Recorder(pynet.Module):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, input):
        self.seen.append((input, self.training))
        self.output = input
        return input

    def backward(self, input, grad_output):
        return grad_output

    def trained_on(self):
        return [input for input, training in self.seen if training]


class At(Callback):
    """Does something once, after a certain batch of a certain epoch."""

    def __init__(self, epoch, batch, do):
        self.when, self.do = (epoch, batch), do

    def on_batch_end(self, trainer):
        if (trainer.epoch, trainer.batch) == self.when:
            self.do()
