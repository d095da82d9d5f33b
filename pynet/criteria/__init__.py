"""The criteria, one file each."""

from .cross_entropy import CrossEntropy
from .cross_entropy_loss import CrossEntropyLoss
from .mse import MSE
from .mse_loss import MSELoss

__all__ = ["MSE", "CrossEntropy", "CrossEntropyLoss", "MSELoss"]
