"""Criterion: what a network's output costs, and the gradient of that cost."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from .arrays import Array
from .describe import call_text


class Criterion:
    """Base of all criteria: a function of an input and a target, at the end of the graph.

    A criterion has no train/eval modes, and its ``backward`` takes no ``grad_output``. Subclasses define
    ``forward(input, target) -> loss`` and ``backward(input, target) -> grad_input``.

    Those of pynet take a third argument, ``weight`` (N,), which one of your own may do without: what each row counts,
    finite and not negative. Losses and gradients of a row are multiplied by its weight; a mean is divided by what it is
    divided by without weights, not by their sum, as in ``(weight * losses).mean()``: weights with a mean of 1 keep the
    scale.

    Attributes
    ----------
    takes_labels : bool
        Whether a target (N,) of integers means classes, not amounts.
    output : scalar or None
        The last loss that `forward` computed.
    grad_output : array or None
        The last gradient that `backward` computed.
    """

    takes_labels: bool = False
    output: Any = None
    grad_output: Array | None = None

    def forward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Any:
        """Return the loss; see the subclass for its formula."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(input, target)")

    def backward(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return the gradient of the loss with respect to ``input``."""
        raise NotImplementedError(f"{type(self).__name__} must define backward(input, target)")

    def row_losses(self, input: npt.ArrayLike, target: npt.ArrayLike) -> Array:
        """Return what each row adds to the loss, (N,): with one weight per row they make a weighted loss."""
        raise NotImplementedError(
            f"{type(self).__name__} must define row_losses(input, target) to be used with weights: "
            "what each row adds to the loss, (N,)"
        )

    def __call__(self, input: npt.ArrayLike, target: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> Any:
        """Return ``forward(input, target)``, or with weights ``forward(input, target, weight)``."""
        if weight is None:
            return self.forward(input, target)
        return self.forward(input, target, weight)  # type: ignore[call-arg]  # all of pynet's take it

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("output", "grad_output")}

    def __repr__(self) -> str:
        return call_text(self)
