"""Classification and regression: what is asked of a fitted network, whichever way it was made."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from ..arrays import Array
from ..checks import as_choice
from ..criteria import BCELoss, HuberLoss, L1Loss, PoissonNLLLoss
from .amounts import Amounts
from .base import NetworkEstimator
from .labels import Labels
from .outputs import PROBABLE

# scikit-learn's names of what amounts may cost; None: the default.
CRITERIA = {"squared_error": None, "absolute_error": L1Loss, "huber": HuberLoss, "poisson": PoissonNLLLoss}


def _learns_in_steps(estimator: Any) -> bool:
    if getattr(estimator, "solver", None) == "lbfgs":
        raise AttributeError("partial_fit needs a solver that goes in steps, 'sgd' or 'adam': 'lbfgs' sees all rows")
    return True


def _gives_probabilities(estimator: Any) -> bool:
    given = estimator.criterion
    kind = given if isinstance(given, type) else type(given)
    if given is None or estimator.out_activation is not None or issubclass(kind, PROBABLE):
        return True
    raise AttributeError(f"criterion {kind.__name__} gives no probabilities: out_activation can make them of outputs")


class Classifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]
    """Predicts classes: two, several, or of several labels any."""

    _targets: Labels
    _numeric_targets = False

    @property
    def classes_(self) -> Array:
        """The classes, sorted; for several labels their numbers."""
        if not hasattr(self, "_targets"):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet: it has no classes_")
        return self._targets.classes

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train.

        Parameters
        ----------
        X : array or sparse matrix (rows, features)
            Sparse rows become dense batch by batch.
        y : array (rows,) or (rows, labels)
            Classes of any kind, text too; or for several labels rows of 0 and 1.
        sample_weight : array (rows,), optional
            What each row counts.
        eval_set : (X, y) or (X, y, sample_weight), optional
            Rows to watch: see ``validation_curve_``; with ``early_stopping`` they decide, and none are split off. They
            count as ``class_weight`` says; "balanced": by their own classes.
        """
        return self._fit(X, y, sample_weight, eval_set)

    @available_if(_learns_in_steps)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None, *, eval_set: Any = None
    ) -> Self:
        """Train one epoch more on these rows.

        With ``early_stopping`` each call counts as an epoch: the rows of the last ``eval_set`` are watched, or those
        held out of the first call. When it is time to stop the best weights are taken back, ``stopped_`` is True, and
        further calls change nothing.

        Parameters
        ----------
        X, y, sample_weight, eval_set
            As in `fit`.
        classes : array, optional
            All classes that there will be, the same at every call; needed at the first one, unless rows may have
            several labels.
        """
        return self._fit(X, y, sample_weight, eval_set, classes=classes, partial=True)

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of each row, or rows of 0 and 1."""
        found = self._predictions(X)
        return self._targets.decode(found)

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Return probabilities (rows, classes), or of several labels (rows, labels).

        With `pynet.BCEWithLogitsLoss` or `pynet.BCELoss` each of several classes has a probability of its own, against
        all others: they are divided by their sum. Where the criterion gives no probabilities, as `pynet.MSELoss`, and
        where pynet cannot know, for it is one's own, there is neither this method nor `predict_log_proba`, unless
        ``out_activation`` says what makes them.
        """
        found = self._predictions(X)
        apart = isinstance(self.criterion_, BCELoss) and self.out_activation is None
        return self._targets.probabilities(found, apart or self.out_activation_ == "logistic")

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities."""
        with np.errstate(divide="ignore"):
            found: Array = np.log(self.predict_proba(X))
        return found

    def _criterion_named(self, name: str) -> Any:
        expected = "a criterion or a class of criteria, as pynet.CrossEntropyLoss"
        raise TypeError(f"criterion must be {expected}, got {name!r}: names are for regressors")

    def _learn_targets(self, y: Any, classes: Any) -> Labels:
        return Labels.learn(y) if classes is None else Labels.given(classes, y)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, eval_set: Any, *, classes: Any = None, partial: bool = False
    ) -> Self:
        if partial and classes is None and not hasattr(self, "_targets") and not Labels.is_multilabel(y):
            raise ValueError("classes must be given at the first call of partial_fit")
        return super()._fit(X, y, sample_weight, eval_set, classes=classes, partial=partial)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class Regressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]
    """Predicts amounts: one for each row, or several."""

    _targets: Amounts
    _numeric_targets = True

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train.

        Parameters
        ----------
        X : array or sparse matrix (rows, features)
            Sparse rows become dense batch by batch.
        y : array (rows,) or (rows, outputs)
            Amounts.
        sample_weight : array (rows,), optional
            What each row counts.
        eval_set : (X, y) or (X, y, sample_weight), optional
            Rows to watch: see ``validation_curve_``; with ``early_stopping`` they decide, and none are split off.
        """
        return self._fit(X, y, sample_weight, eval_set)

    @available_if(_learns_in_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Train one epoch more on these rows.

        With ``early_stopping`` each call counts as an epoch: the rows of the last ``eval_set`` are watched, or those
        held out of the first call. When it is time to stop the best weights are taken back, ``stopped_`` is True, and
        further calls change nothing.
        """
        return self._fit(X, y, sample_weight, eval_set, partial=True)

    def predict(self, X: Any) -> Array:
        """Return amounts, (rows,) or (rows, outputs); with `pynet.PinballLoss` a column for each quantile.

        scikit-learn's scorers cannot compare several quantiles with one y: ``scoring="r2"`` is nan. Leave ``scoring``
        out, for `score` knows which column is meant, or write a function:
        ``lambda model, X, y: d2_pinball_score(y, model.predict(X)[:, 0], alpha=0.05)``.
        """
        found = self._predictions(X)
        return self._targets.decode(found)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R², averaged over the columns; of several quantiles that of the one nearest to the median.

        Parameters
        ----------
        X, y
            As in `fit`.
        sample_weight : array (rows,), optional
            What each row counts.
        """
        found = self._targets.best_guess(self.predict(X), self.criterion_)
        return float(r2_score(y, found, sample_weight=sample_weight))

    def _criterion_named(self, name: str) -> Any:
        return CRITERIA[as_choice(name, "criterion", tuple(CRITERIA))]

    def _learn_targets(self, y: Any, classes: Any) -> Amounts:
        return Amounts.learn(y)
