"""Estimators for scikit-learn's pipelines, searches and scores; they need ``pip install 'pynet[sklearn]'``."""

try:
    import sklearn as _sklearn  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise ImportError("pynet.sklearn needs scikit-learn: pip install 'pynet[sklearn]'") from error

from .mlp_classifier import MLPClassifier
from .mlp_regressor import MLPRegressor
from .net_classifier import NetClassifier
from .net_regressor import NetRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "NetClassifier", "NetRegressor"]
