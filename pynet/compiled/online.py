"""Learning from one sample at a time, as they come."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import protocol
from ..arrays import Array, as_array, largest_exact, native_float
from .predict import CompiledPredict
from .step import CompiledStep


class OnlineLearner:
    """Learns and predicts sample by sample, with one compiled call for each.

    ``learn_one(x, y)`` is a step of `pynet.compile_step` on a batch of one, ``predict_one(x)`` a prediction of
    `pynet.compile_predict`: a few microseconds for a small model. These are the names that libraries of online learners
    such as river use.

    Parameters
    ----------
    model : module
        What to train. Batch statistics need more than one row: a BatchNorm must be in evaluation mode.
    criterion : Criterion
        What its outputs cost.
    optimizer : optimizer
        Of this model.

    Attributes
    ----------
    step : CompiledStep
    predict : CompiledPredict

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, or the optimizer is another model's.

    Examples
    --------
    >>> learner = pynet.OnlineLearner(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.01))  # doctest: +SKIP
    >>> for x, y in stream:  # doctest: +SKIP
    ...     right += learner.predict_one(x).argmax() == y
    ...     learner.learn_one(x, y)
    """

    def __init__(self, model: Any, criterion: Any, optimizer: Any) -> None:
        self.step, self.predict = CompiledStep(model, criterion, optimizer), CompiledPredict(model)
        self._takes_labels = bool(getattr(criterion, "takes_labels", False))
        arrays = [parameter.array for parameter in protocol.all_parameters(model)]
        self._dtype = next((kind for array in arrays if (kind := native_float(array.dtype))), np.dtype(np.float64))
        self._largest_index = largest_exact(self._dtype)

    def learn_one(self, x: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """Take a step on one sample; return its loss before that.

        Parameters
        ----------
        x : array (features, ...)
            The sample, without an axis for the batch.
        y : int, float or array (outputs,)
            Its label, for a criterion that takes labels; else an amount, or one for each output.

        Raises
        ------
        ShapeError, TypeError, ValueError
            If x or y does not fit the model. Nothing has moved then.
        """
        target = self._label(y) if self._takes_labels else self._amounts(y).reshape(1, -1)
        return self.step(self._sample(x)[None], target)

    def predict_one(self, x: npt.ArrayLike) -> Array:
        """Return the model's output for one sample, (outputs,), in evaluation mode."""
        output: Array = self.predict(self._sample(x)[None])[0]
        return output

    def _sample(self, x: Any) -> Array:
        """Return a sample as the compiled calls take it without a further look."""
        if x.__class__ is np.ndarray and x.dtype is self._dtype:
            return x
        array = as_array(x, "x")
        # A module of one's own may need whole numbers, and float32 has not all that an Embedding may be asked for.
        if array.dtype.kind in "iu" and (not self.step.compiled or array.max(initial=0) > self._largest_index):
            return array
        return array.astype(self._dtype, copy=False)

    def _label(self, y: Any) -> Array:
        """Return a label, or a row of probabilities, with an axis for the batch."""
        if y.__class__ is int or y.__class__ is bool:
            return np.array((int(y),))
        array = as_array(y, "y")
        return array.reshape(1) if array.ndim == 0 else self._amounts(array)[None]

    def _amounts(self, y: Any) -> Array:
        if y.__class__ is np.ndarray and y.dtype is self._dtype:
            return y
        return as_array(y, "y").astype(self._dtype, copy=False)

    def __repr__(self) -> str:
        return f"OnlineLearner({type(self.step.model).__name__}, {self.step.criterion!r}, {self.step.optimizer!r})"
