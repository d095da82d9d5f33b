"""CrossEntropy between probabilities and targets: the notebook's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, as_classes, as_input
from ..criterion import Criterion
from ..module import named

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class CrossEntropy(Criterion):
    """``-sum(target * log(clip(input, 1e-9, 1 - 1e-9))) / N``, from probabilities, as in the notebook.

    Put it behind a `SoftMax`: scores would be clipped to a loss near 0, and nothing be learned. From scores,
    `CrossEntropyLoss` does both at once and more exactly.

    Shapes
    ------
    input (N, classes) probabilities; target (N, classes) one-hot rows or any probabilities, or (N,) integer labels;
    weight of the calls (N,): see `Criterion`. The loss is a scalar of the input's dtype.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ValueError
        If the batch is empty, or a label is no class.

    Notes
    -----
    The gradient is ``-target / clip(input, 1e-15, 1 - 1e-15) / N``, the notebook's: always finite, and not the
    derivative of the clipped loss where the clip acts. There the loss is constant and its derivative 0, with which a
    network that is certain and wrong would never learn better. Gradient checks belong outside that zone.

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs, with relationships to
    statistical pattern recognition", Neurocomputing, Springer, 1990.
    """

    takes_labels = True

    @named
    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Any:
        """Return the loss; in float32 it is summed in double."""
        self.output = output = _core.cross_entropy_forward(input, target, weight)
        return output

    @named
    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Array:
        """Return ``-target / clip(input, 1e-15, 1 - 1e-15) / N``."""
        self.grad_output = grad = _core.cross_entropy_backward(input, target, weight)
        return grad

    def add_to(self, plan: Plan) -> None:
        """Describe this criterion to a compiled step."""
        plan.cross_entropy()

    @named
    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return ``-sum(target * log(clip(input, 1e-9, 1 - 1e-9))) / N`` row by row."""
        _core.cross_entropy_forward(input, target, None)  # refuses what does not fit
        p = as_input(input, "input")
        logs, classes = np.log(np.clip(p, 1e-9, 1 - 1e-9)), as_classes(target, p.dtype)
        with np.errstate(all="ignore"):  # infinite losses are as silent as in a kernel
            each: Array = logs[np.arange(len(p)), classes] if classes.ndim == 1 else (classes * logs).sum(axis=1)
            return -each / len(p)
