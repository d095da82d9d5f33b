"""NetRegressor: any network that predicts amounts."""

from __future__ import annotations

from typing import Any

from .. import optim
from .net import Net
from .tasks import Regressor


class NetRegressor(Regressor, Net):
    """An estimator around a network of one's own that predicts amounts.

    Parameters
    ----------
    module : module or function
        As of `NetClassifier`; its outputs are (rows, n_outputs), a column for each amount.
    criterion : str, Criterion or class, optional
        What outputs cost; by default `pynet.MSE`; names as of `MLPRegressor`. Of `pynet.PinballLoss` n_outputs is the
        number of quantiles, and predictions are a column each (see `predict`); of `pynet.GaussianNLLLoss` it is twice
        the number of amounts, of which the module must make the second half positive, and predictions are the means.
    optimizer, lr, batch_size, max_iter, ...
        As of `NetClassifier`; there is no ``class_weight``.
    **nested
        ``module__hidden``, ``optimizer__momentum``: arguments of the parts.

    Attributes
    ----------
    model_, criterion_, optimizer_, loss_curve_, validation_curve_, n_iter_, ...
        As of `NetClassifier`; there is no ``classes_``.

    Raises
    ------
    TypeError, ValueError
        In `fit`, if an argument or the data are not what they must be.
    pynet.ShapeError
        In `fit`, if the module has more or fewer outputs than y and a criterion of pynet need.
    pynet.DivergedError
        If a loss is not finite.

    Examples
    --------
    >>> model = NetRegressor(network, optimizer=pynet.optim.SGD, optimizer__momentum=0.9).fit(X, y)  # doctest: +SKIP
    """

    def __init__(
        self,
        module: Any,
        *,
        criterion: Any = None,
        optimizer: Any = optim.Adam,
        lr: float = 1e-3,
        batch_size: int | str = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: float = 10,
        out_activation: Any = None,
        callbacks: Any = None,
        **nested: Any,
    ) -> None:
        self._keep(locals())
