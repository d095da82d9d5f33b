"""Layers as a user writes them: plain NumPy, the notebook's signature and no more."""

import numpy as np

import pynet


class Scale:
    """One weight per feature; no base class."""

    def __init__(self, width):
        self.w, self.grad_w = np.linspace(0.5, 1.5, width), np.zeros(width)

    def forward(self, input):
        self.output = input * self.w
        return self.output

    def backward(self, input, grad_output):
        self.grad_w = np.sum(grad_output * input, axis=0)
        return grad_output * self.w

    def parameters(self):
        return [self.w]

    def grad_parameters(self):
        return [self.grad_w]


class Shift(pynet.Module):
    """One bias per feature, on pynet's base."""

    parameter_names = ("b",)

    def __init__(self, width):
        super().__init__()
        self.width, self.b, self.grad_b = width, np.linspace(-0.5, 0.5, width), np.zeros(width)

    def forward(self, input):
        self.output = input + self.b
        return self.output

    def backward(self, input, grad_output):
        self.grad_b[...] = grad_output.sum(axis=0)
        return grad_output


class Softplus:
    """Uses in backward what forward kept, as the notebook advises."""

    def forward(self, input):
        self.output = np.logaddexp(0, input)
        return self.output

    def backward(self, input, grad_output):
        return grad_output * (1 - np.exp(-self.output))
