"""Estimators around a network of one's own."""

from __future__ import annotations

import copy
import inspect
from typing import Any, Self

from ..checks import as_at_least_zero
from ..protocol import is_module
from ..roles import as_criterion, as_optimizer
from .arguments import as_optimizer_maker
from .base import NetworkEstimator
from .randomness import seeded

_PARTS = ("module", "criterion", "optimizer")


class Net(NetworkEstimator):
    """What the two estimators share: parts that are made when they are fitted, from arguments ``part__name``."""

    module: Any
    optimizer: Any
    lr: float

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments, those of the parts included: ``module__hidden``."""
        own: dict[str, Any] = super().get_params(deep)
        return own | self._nested()

    def set_params(self, **params: Any) -> Self:
        """Set arguments, those of the parts included."""
        nested = {name: params.pop(name) for name in list(params) if _is_nested(name)}
        super().set_params(**params)
        for name, value in nested.items():
            setattr(self, name, value)
        return self

    def _keep(self, arguments: dict[str, Any]) -> None:
        super()._keep(arguments | arguments.pop("nested"))

    def _nested(self) -> dict[str, Any]:
        own = self._get_param_names()
        fitted = [name for name in vars(self) if name.startswith("_") or name.endswith("_")]
        return {name: value for name, value in vars(self).items() if name not in own and name not in fitted}

    def _arguments(self, part: str) -> dict[str, Any]:
        start = f"{part}__"
        return {name.removeprefix(start): value for name, value in vars(self).items() if name.startswith(start)}

    def _check(self) -> None:
        super()._check()
        as_at_least_zero(self.lr, "lr")
        as_optimizer_maker(self.optimizer)
        for name in self._nested():
            if not _is_nested(name):
                known = ", ".join(f"{part}__..." for part in _PARTS)
                raise TypeError(f"{type(self).__name__} has no argument {name!r}; those of its parts are {known}")

    def _input_options(self, fresh: bool) -> dict[str, Any]:
        return {"dtype": "numeric", "allow_nd": True}

    def _make_model(self, X: Any, outputs: int, random_state: Any) -> Any:
        arguments = self._arguments("module")
        if is_module(self.module):
            if arguments:
                raise ValueError(f"module__{next(iter(arguments))} is for a function that makes modules")
            return copy.deepcopy(self.module)
        if not callable(self.module):
            raise TypeError(f"module must be a module, or a function that makes one, got {self.module!r:.80}")
        known = {"n_features": X.shape[1], "n_outputs": outputs}
        wanted = inspect.signature(self.module).parameters
        with seeded(random_state):
            return self.module(**{name: value for name, value in known.items() if name in wanted} | arguments)

    def _begin(self, X: Any, random_state: Any) -> None:
        super()._begin(X, random_state)
        self._scale = 1.0  # the criterion is what it says

    def _make_criterion(self) -> Any:
        arguments = self._arguments("criterion")
        given = self._given_criterion()
        if not isinstance(given, type):
            if arguments:
                raise ValueError(f"criterion__{next(iter(arguments))} is for a class of criteria")
            return super()._make_criterion()
        return as_criterion(given(**arguments))

    def _make_optimizer(self, decay: float) -> Any:
        return as_optimizer(self.optimizer(self.model_, **{"lr": self.lr} | self._arguments("optimizer")), self.model_)


def _is_nested(name: str) -> bool:
    part, separator, rest = name.partition("__")
    return part in _PARTS and bool(separator and rest)
