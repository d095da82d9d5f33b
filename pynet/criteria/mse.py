"""MSE: the notebook's squared error."""

from __future__ import annotations

from .loss import Loss


class MSE(Loss):
    """``sum((input - target)**2) / N`` with N the batch size, as in the notebook.

    PyTorch's mean over all elements is `MSELoss`. The gradient is ``2 * (input - target) / N``.

    Shapes
    ------
    input (N, ...), target the same: nothing is broadcast; weight of the calls (N,): see `Criterion`. The loss is a
    scalar of the input's dtype.

    Raises
    ------
    ShapeError
        If the shapes differ.
    ValueError
        If the batch is empty.

    References
    ----------
    Bishop, "Pattern Recognition and Machine Learning", Springer, 2006, section 5.2.
    """

    _kernel = "mse"

    def _reduction(self) -> str:
        return "batch"
