"""Callbacks: what else is to happen while a Trainer trains."""

from .callback import Callback
from .checkpoint import Checkpoint
from .csv_logger import CSVLogger
from .early_stopping import EarlyStopping
from .lr_scheduler import LRScheduler
from .progress_bar import ProgressBar
from .weight_averaging import WeightAveraging

__all__ = [
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "LRScheduler",
    "ProgressBar",
    "WeightAveraging",
]
