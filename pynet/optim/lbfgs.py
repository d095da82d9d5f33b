"""L-BFGS: all rows at once and all parameters as one vector, minimised by SciPy."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from .. import protocol
from ..arrays import Array, as_row_weights
from ..checks import as_at_least_zero, as_size
from ..errors import DivergedError
from ..layers import Dropout
from ..places import places
from ..roles import as_criterion, as_module
from ..snapshot import arrays_of, restore_snapshot, take_snapshot
from ..watched import Watched
from .groups import GivenGroups, Groups
from .objective import Objective

Callback: TypeAlias = Callable[[int, float], object]

_OPTIONS = ("max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size", "weight_decay")


class Minimum(NamedTuple):
    """What `LBFGS.minimize` has come to.

    Attributes
    ----------
    losses : list of float
        The loss, weight decay included, at the start and after each iteration.
    converged : bool
        Whether a tolerance ended it, and not a limit, a callback or a line search that found nothing.
    message : str
        Why it ended, in SciPy's words.
    evaluations : int
        How often loss and gradient have been computed.
    """

    losses: list[float]
    converged: bool
    message: str
    evaluations: int


def _as_count(value: Any, name: str) -> int:
    return as_size(value, name, smallest=1)


class LBFGS:
    """L-BFGS on all rows at once, through SciPy (``pip install 'pynet[lbfgs]'``): good steps for small data.

    It has no ``step()``: ``LBFGS(model).minimize(criterion, X, y)`` is the whole training. Each iteration goes along a
    direction that the last gradients give, as far as a line search says. Computed in float64, whatever the model's
    dtype; frozen parameters stay as they are.

    Parameters
    ----------
    model : module
        Whose parameters to find. A criterion's loss must be a function of them: a Dropout must be in evaluation mode.
    max_iter : int, default 200
        Most iterations.
    max_eval : int, default 15000
        Most computations of loss and gradient, of which an iteration takes one or a few.
    tolerance_grad : float, default 1e-5
        Ends it when no number of the gradient is larger.
    tolerance_change : float, default 1e-9
        Ends it when an iteration lowers the loss by no larger part of it (of 1, if it is smaller than that).
    history_size : int, default 10
        How many of the last steps the direction is made from.
    weight_decay : float, default 0
        What is minimised is the loss plus ``weight_decay / 2 * p**2`` for each number p of the parameters.
    groups : iterable of dict, default ()
        Parameters with a ``weight_decay`` of their own: see `Optimizer`. There is no ``lr``.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number or out of range, or a group matches nothing.

    References
    ----------
    Liu, Nocedal, "On the limited memory BFGS method for large scale optimization", Mathematical Programming 45, 1989.

    Examples
    --------
    >>> optimizer = pynet.optim.LBFGS(model, weight_decay=1e-4, groups=[{"parameters": "*.bias", "weight_decay": 0}])
    >>> found = optimizer.minimize(pynet.MSELoss(), X, y, callback=print)  # doctest: +SKIP
    >>> found.losses[-1], found.converged  # doctest: +SKIP
    """

    max_iter = Watched(_as_count, "Most iterations.")
    max_eval = Watched(_as_count, "Most computations of loss and gradient.")
    tolerance_grad = Watched(as_at_least_zero, "The largest number of a gradient that ends it.")
    tolerance_change = Watched(as_at_least_zero, "The smallest part of the loss that an iteration must win.")
    history_size = Watched(_as_count, "How many of the last steps count.")
    weight_decay = Watched(as_at_least_zero, "How much parameters are drawn towards zero.")

    def __init__(
        self,
        model: Any,
        max_iter: int = 200,
        max_eval: int = 15000,
        tolerance_grad: float = 1e-5,
        tolerance_change: float = 1e-9,
        history_size: int = 10,
        weight_decay: float = 0.0,
        *,
        groups: GivenGroups = (),
    ) -> None:
        self.model, self.max_iter, self.max_eval = as_module(model), max_iter, max_eval
        self.tolerance_grad, self.tolerance_change = tolerance_grad, tolerance_change
        self.history_size, self.weight_decay = history_size, weight_decay
        self._groups = Groups(model, 1.0, groups, numbers=("weight_decay",))

    def minimize(
        self,
        criterion: Any,
        X: Any,
        y: npt.ArrayLike,
        *,
        sample_weight: npt.ArrayLike | None = None,
        callback: Callback | None = None,
    ) -> Minimum:
        """Give the model's parameters the values that minimise the criterion on these rows.

        Parameters
        ----------
        criterion : Criterion
            One whose loss is a number.
        X, y : array (N, ...)
            All rows, and their targets.
        sample_weight : array (N,), optional
            What each row counts; divided by its mean. Needs ``row_losses`` of the criterion.
        callback : callable, optional
            ``callback(iteration, loss)`` is called after each iteration, when the model has what has been found so far;
            if it returns True, that was the last one.

        Returns
        -------
        Minimum

        Raises
        ------
        ImportError
            If there is no SciPy.
        DivergedError
            If the loss found is not finite; the model is as it was.
        ShapeError, TypeError, ValueError
            If the data do not fit the model, nothing of it learns, or a Dropout draws masks. The model is as it was.
        StateError
            If a user's layer has no gradients after its backward.

        Notes
        -----
        What interrupts it, Ctrl-C or an error of the callback's, leaves the model with what the last iteration found.
        """
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be a function of iteration and loss, got {callback!r:.80}")
        _require_a_function(self.model)
        weight = _as_relative_weights(sample_weight, X)
        work = _in_double(self.model)
        objective = Objective(work, as_criterion(criterion), X, y, weight, self._decays())
        run = _Run(self.model, work, objective, callback)
        options = {
            "maxiter": self.max_iter,
            "maxfun": self.max_eval,
            "gtol": self.tolerance_grad,
            "ftol": self.tolerance_change,
            "maxcor": self.history_size,
        }
        with run.restoring():
            run.begin()
            found = _scipys_minimize()(run, run.found, method="L-BFGS-B", jac=True, callback=run.note, options=options)
            run.accept(run.found)
        return Minimum(run.losses, bool(found.success), str(found.message), int(found.nfev))

    def _decays(self) -> dict[str, float]:
        """Return the weight decay of each parameter, by its name."""
        parameters = protocol.all_parameters(self.model)
        names = [parameter.name for parameter in parameters]
        own = self._groups.own_numbers(parameters, names)
        decays = [-1.0] * len(names) if own is None else own[:, 1].tolist()
        return {name: self.weight_decay if decay < 0 else decay for name, decay in zip(names, decays, strict=True)}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _OPTIONS)
        groups = f", groups={self._groups.text(self.model, 1.0)}" if self._groups else ""
        return f"LBFGS({shown}{groups})"


class _Run:
    """One minimisation: what SciPy calls, and what the model has meanwhile."""

    def __init__(self, model: Any, work: Any, objective: Objective, callback: Callback | None) -> None:
        self._model, self._work, self._objective, self._callback = model, work, objective, callback
        self._before = take_snapshot(model)
        self._first: tuple[float, Array] | None = None
        self.losses: list[float] = []
        self.found = objective.vector()

    def begin(self) -> None:
        """Compute what SciPy will ask for first: whatever is wrong with the data comes out here."""
        self._first = self._objective(self.found)
        loss = self._first[0]
        if not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} before the first iteration: scaled inputs may help")
        self.losses.append(loss)

    def __call__(self, vector: Array) -> tuple[float, Array]:
        first, self._first = self._first, None
        if first is not None and np.array_equal(vector, self.found):
            return first
        return self._objective(vector)

    def note(self, intermediate_result: Any) -> None:
        """Take down an iteration, as SciPy tells of it: by this name of the argument."""
        loss = float(intermediate_result.fun)
        if not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} after {len(self.losses)} iterations: scaled inputs may help")
        self.found = intermediate_result.x.copy()
        self.losses.append(loss)
        if self._callback is not None:
            self.accept(self.found)
            if self._callback(len(self.losses) - 1, self.losses[-1]) is True:
                raise StopIteration

    def accept(self, vector: Array) -> None:
        """Give the model these parameters."""
        self._objective.assign(vector)
        if self._work is not self._model:
            restore_snapshot(self._model, arrays_of(self._work))

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """After an error before the first iteration, or a loss that is not finite, have the model as it was."""
        try:
            yield
        except BaseException as error:
            if len(self.losses) < 2 or isinstance(error, DivergedError):
                restore_snapshot(self._model, self._before)
            else:
                self.accept(self.found)
            raise


def _scipys_minimize() -> Any:
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ImportError("LBFGS needs SciPy: pip install 'pynet[lbfgs]'") from error
    return minimize


def _require_a_function(model: Any) -> None:
    for place, module in places(model):
        if isinstance(module, Dropout) and module.training and module.p > 0:
            raise ValueError(f"L-BFGS cannot minimise a loss with new masks every time: {place} {module!r}.eval()")


def _as_relative_weights(sample_weight: npt.ArrayLike | None, X: Any) -> Array | None:
    if sample_weight is None:
        return None
    weight = as_row_weights(sample_weight, "sample_weight", len(X), np.dtype(np.float64))
    if not weight.any():
        raise ValueError("sample_weight must hold numbers that are not all 0")
    return np.asarray(weight / weight.mean())


def _in_double(model: Any) -> Any:
    """Return the model, or a copy in float64."""
    if all(parameter.array.dtype == np.float64 for parameter in protocol.all_parameters(model)):
        return model
    work = copy.deepcopy(model)
    protocol.convert(work, np.dtype(np.float64))
    return work
