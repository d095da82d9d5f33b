"""Every kernel beside exact arithmetic, NumPy and PyTorch, a row each.

`test_accuracy.py` holds the limits on small samples, `docs/accuracy.py` writes the table of large ones.
"""

from .activations import ACTIVATIONS
from .criteria import CRITERIA
from .elements import ELEMENTS
from .embedding import EMBEDDING
from .layers import BATCH_NORM, LINEAR
from .likelihoods import LIKELIHOODS
from .losses import LOSSES
from .norms import SAMPLE_NORMS
from .optimizers import OPTIMIZERS
from .prelu import PRELU
from .row import Row
from .scores import SCORES

__all__ = ["ALL", "SUBJECTS", "Row"]

SUBJECTS = {
    "Activations and Dropout": [*ELEMENTS, *ACTIVATIONS, *PRELU],
    "Scores": SCORES,
    "Norms": [*BATCH_NORM, *SAMPLE_NORMS],
    "Linear and Embedding": [*LINEAR, *EMBEDDING],
    "Criteria": [*CRITERIA, *LOSSES, *LIKELIHOODS],
    "Optimizers": OPTIMIZERS,
}
ALL = [row for rows in SUBJECTS.values() for row in rows]
