"""Training as people do it: a Trainer, and the history of what it did."""

from .history import History
from .trainer import Trainer

__all__ = ["History", "Trainer"]
