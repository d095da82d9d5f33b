"""The notebook read as plain NumPy: every criterion as its formula says, and SGD."""

import numpy as np
from notebook_reference import LogSoftMax


def one_hot(target, classes):
    return np.eye(classes)[target] if target.ndim == 1 else target


class MSE:
    """The notebook's: summed over everything, divided by the rows."""

    def __init__(self, of=None):
        self.of = of

    def _divisor(self, x):
        return len(x)

    def forward(self, x, target):
        return ((x - target) ** 2).sum() / self._divisor(x)

    def backward(self, x, target):
        return 2 * (x - target) / self._divisor(x)


class MSELoss(MSE):
    def _divisor(self, x):
        return x.size


class CrossEntropy(MSE):
    """The notebook's, of probabilities, with both of its clips."""

    def forward(self, x, target):
        return -(one_hot(target, x.shape[1]) * np.log(np.clip(x, 1e-9, 1 - 1e-9))).sum() / len(x)

    def backward(self, x, target):
        return -one_hot(target, x.shape[1]) / np.clip(x, 1e-15, 1 - 1e-15) / len(x)


class CrossEntropyLoss(MSE):
    """From scores, with smoothing and class weights; of labels, averaged by their weights."""

    def _shares(self, x, target):
        classes = x.shape[1]
        weight = np.ones(classes) if self.of.weight is None else self.of.weight
        smooth = (1 - self.of.label_smoothing) * one_hot(target, classes) + self.of.label_smoothing / classes
        return weight * smooth / (weight[target].sum() if target.ndim == 1 else len(x))

    def forward(self, x, target):
        return -(self._shares(x, target) * LogSoftMax().forward(x)).sum()

    def backward(self, x, target):
        return -LogSoftMax().backward(x, self._shares(x, target))


class NLLLoss(MSE):
    """From log-probabilities, with class weights; of labels, averaged by their weights."""

    def _shares(self, x, target):
        weight = np.ones(x.shape[1]) if self.of.weight is None else self.of.weight
        return weight * one_hot(target, x.shape[1]) / (weight[target].sum() if target.ndim == 1 else len(x))

    def forward(self, x, target):
        return -(self._shares(x, target) * x).sum()

    def backward(self, x, target):
        return -self._shares(x, target)


class KLDivLoss(MSE):
    """Of probabilities, averaged over the numbers or added up for each row."""

    def _divisor(self, x):
        return x.size if self.of.reduction == "mean" else len(x)

    def forward(self, x, target):
        return (target * (np.log(target) - x)).sum() / self._divisor(x)

    def backward(self, x, target):
        return -target / self._divisor(x)


class BCEWithLogitsLoss(MSELoss):
    """Of yes and no, with a weight of yes for each column."""

    def forward(self, x, target):
        weight = 1 if self.of.pos_weight is None else self.of.pos_weight
        return (weight * target * np.logaddexp(0, -x) + (1 - target) * np.logaddexp(0, x)).sum() / x.size

    def backward(self, x, target):
        weight, p = 1 if self.of.pos_weight is None else self.of.pos_weight, np.exp(-np.logaddexp(0, -x))
        return ((1 - target) * p - weight * target * (1 - p)) / x.size


class HuberLoss(MSELoss):
    """Squared up to a limit, then straight."""

    def _limit(self):
        return self.of.delta, 1

    def forward(self, x, target):
        (limit, over), e = self._limit(), np.abs(x - target)
        return np.where(e < limit, e**2 / 2, limit * (e - limit / 2)).sum() / over / x.size

    def backward(self, x, target):
        limit, over = self._limit()
        return np.clip(x - target, -limit, limit) / over / x.size


class SmoothL1Loss(HuberLoss):
    def _limit(self):
        return self.of.beta, self.of.beta


def mirror_criterion(criterion):
    return globals()[type(criterion).__name__](criterion)


class SGD:
    """``v = momentum * v + g`` (at first ``v = g``), ``p -= lr * v``."""

    def __init__(self, lr, momentum):
        self.lr, self.momentum, self.velocity = lr, momentum, None

    def step(self, arrays, grads):
        if self.velocity is None:
            self.velocity = [np.zeros_like(array) for array in arrays]
        for array, grad, velocity in zip(arrays, grads, self.velocity, strict=True):
            velocity[...] = self.momentum * velocity + grad
            array -= self.lr * velocity
