"""Pictures of training runs and models, as matplotlib figures; they need ``pip install 'pynet[train]'``."""

from .activations import activations
from .confusion_matrix import confusion_matrix
from .curves import curves
from .weights import weights

__all__ = ["activations", "confusion_matrix", "curves", "weights"]
