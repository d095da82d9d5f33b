"""NetClassifier: any network that tells classes apart."""

from __future__ import annotations

from typing import Any

from .. import optim
from .net import Net
from .tasks import Classifier


class NetClassifier(Classifier, Net):
    """An estimator around a network of one's own that tells classes apart.

    Parameters
    ----------
    module : module or function
        A module, of which a copy is trained; or a function or class that makes one, called with what it asks for by
        name among ``n_features`` and ``n_outputs``, and with the arguments ``module__...``. Its outputs are what the
        criterion takes, (rows, n_outputs): a column for each class or label, or a single one for two classes, which
        `pynet.CrossEntropyLoss`, `pynet.CrossEntropy`, `pynet.NLLLoss` and `pynet.KLDivLoss` need two for.
    criterion : Criterion or class, optional
        What outputs cost; by default the cross-entropy of softmax over the columns, or of one logistic output for two
        classes and for each of several labels. One that takes no labels gets columns of 0 and 1. Of a class,
        ``criterion__label_smoothing=0.1`` and the like are arguments. A layer that it wants before it, as a LogSoftMax
        before `pynet.NLLLoss`, is for the module to have.
    optimizer : class or function, default pynet.optim.Adam
        Called with the module, ``lr`` and the arguments ``optimizer__...``.
    lr : float, default 0.001
        The learning rate.
    batch_size, max_iter, shuffle, random_state, tol, verbose, warm_start, early_stopping, validation_fraction,
    n_iter_no_change, out_activation, class_weight, callbacks
        As of `MLPClassifier`. With ``random_state`` given, weights that a function draws from NumPy's global generator
        depend on it alone, and so do modules of pynet that draw from there in training.
    **nested
        ``module__hidden``, ``optimizer__momentum``, ``criterion__weight``: arguments of the parts, which searches such
        as GridSearchCV can vary.

    Attributes
    ----------
    model_, criterion_, optimizer_
        The network, what its outputs cost, and what moved it. Its parameters decide the dtype that it computes in.
    classes_, loss_curve_, validation_curve_, n_iter_, ...
        As of `MLPClassifier`.

    Raises
    ------
    TypeError, ValueError
        In `fit`, if an argument or the data are not what they must be.
    pynet.ShapeError
        In `fit`, if the module has more or fewer outputs than the classes need.
    pynet.DivergedError
        If a loss is not finite.

    Examples
    --------
    >>> def network(n_features, n_outputs, hidden=32):
    ...     return pynet.Sequential(pynet.Linear(n_features, hidden), pynet.ReLU(), pynet.Linear(hidden, n_outputs))
    >>> search = GridSearchCV(NetClassifier(network, module__hidden=8), {"module__hidden": [8, 64]})  # doctest: +SKIP
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
        class_weight: dict[Any, float] | str | None = None,
        callbacks: Any = None,
        **nested: Any,
    ) -> None:
        self._keep(locals())
