"""Every kernel beside exact arithmetic, NumPy and PyTorch, a row each.

`test_accuracy.py` holds the limits on small samples, `docs/accuracy.py` writes the table of large ones.
"""

from .activations import ACTIVATIONS
from .criteria import CRITERIA
from .elements import ELEMENTS
from .layers import BATCH_NORM, LINEAR
from .losses import LOSSES
from .optimizers import OPTIMIZERS
from .row import Row
from .scores import SCORES

__all__ = ["ALL", "Row"]

ALL = [*ELEMENTS, *ACTIVATIONS, *SCORES, *BATCH_NORM, *LINEAR, *CRITERIA, *LOSSES, *OPTIMIZERS]
