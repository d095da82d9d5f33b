"""Data: batches, splits, one-hot rows, MNIST's files, and a small data set that travels with the package."""

from .digits import load_digits
from .idx import load_idx
from .loader import DataLoader
from .one_hot import one_hot
from .split import train_test_split

__all__ = ["DataLoader", "load_digits", "load_idx", "one_hot", "train_test_split"]
