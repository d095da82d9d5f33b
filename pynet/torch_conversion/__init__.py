"""Models of PyTorch as models of pynet, and back: `from_torch`, `to_torch`."""

from .from_torch import from_torch
from .to_torch import to_torch

__all__ = ["from_torch", "to_torch"]
