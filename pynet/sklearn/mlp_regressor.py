"""MLPRegressor: scikit-learn's, and more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from .mlp import MLP
from .tasks import Regressor


class MLPRegressor(Regressor, MLP):
    """A multi-layer perceptron that predicts amounts, with scikit-learn's arguments and attributes.

    Parameters
    ----------
    criterion : str, Criterion or class, optional
        What predictions cost; by default half the squared error of a row, ``sum (output - y)² / 2``, as the steps of
        scikit-learn's have it. (Its argument ``loss`` is this one's place.) "squared_error" is the default;
        "absolute_error", "huber" and "poisson" (of amounts that are not negative) are `pynet.L1Loss`, `pynet.HuberLoss`
        and `pynet.PoissonNLLLoss`; ``pynet.PinballLoss([0.05, 0.5, 0.95])`` predicts quantiles, a column each: see
        `predict`. `pynet.CrossEntropyLoss`, `pynet.KLDivLoss` and the like are for columns of y that are shares in a
        whole. `pynet.GaussianNLLLoss` is for `NetRegressor`, whose module can make variances positive.
    out_activation : {"identity", "logistic", "softmax", "exp", "means"} or function, optional
        What makes amounts of the network's outputs, which the criterion sees as they are; by default what belongs to
        the criterion: "exp" for one that takes their logarithms, as `pynet.PoissonNLLLoss` does, "means" (the first
        half of the columns) for `pynet.GaussianNLLLoss`, identity for others.
    hidden_layer_sizes, activation, solver, alpha, ...
        As of `MLPClassifier`; there is no ``class_weight``. Losses of several columns add up, where scikit-learn's have
        their mean: ``tol`` is that much stricter. ``val_loss`` of callbacks is pynet's squared error, twice
        ``validation_curve_``.

    Attributes
    ----------
    validation_scores_ : list of float
        R² of the watched rows after each epoch.
    coefs_, intercepts_, model_, loss_curve_, ...
        As of `MLPClassifier`; there is no ``classes_``.

    Raises
    ------
    TypeError, ValueError
        In `fit`, if an argument or the data are not what they must be.
    pynet.DivergedError
        If a loss is not finite.

    Examples
    --------
    >>> from pynet.sklearn import MLPRegressor
    >>> model = MLPRegressor((64, 64), early_stopping=True, dtype="float32").fit(X, y)  # doctest: +SKIP
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float = 0.0,
        batch_norm: bool = False,
        criterion: Any = None,
        out_activation: Any = None,
        dtype: npt.DTypeLike | None = None,
        callbacks: Any = None,
    ) -> None:
        self._keep(locals())
