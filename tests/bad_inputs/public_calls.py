"""All wrong calls there are, and what is public."""

import inspect
from collections.abc import Iterator
from typing import Any

import calls_of_activations
import calls_of_callbacks
import calls_of_compiled
import calls_of_containers
import calls_of_criteria
import calls_of_data
import calls_of_files
import calls_of_flags
import calls_of_groups
import calls_of_init
import calls_of_inspection
import calls_of_layers
import calls_of_lbfgs
import calls_of_losses
import calls_of_metrics
import calls_of_norms
import calls_of_optim
import calls_of_plot
import calls_of_schedules
import calls_of_torch_conversion
import calls_of_trainer
from wrong_calls import wrong_calls

import pynet
from pynet import callbacks, criteria, data, init, layers, metrics, optim, plot, testing
from pynet.watched import Watched

_PARTS = (
    calls_of_activations,
    calls_of_callbacks,
    calls_of_compiled,
    calls_of_containers,
    calls_of_criteria,
    calls_of_data,
    calls_of_files,
    calls_of_flags,
    calls_of_groups,
    calls_of_init,
    calls_of_inspection,
    calls_of_layers,
    calls_of_lbfgs,
    calls_of_losses,
    calls_of_metrics,
    calls_of_norms,
    calls_of_optim,
    calls_of_plot,
    calls_of_schedules,
    calls_of_torch_conversion,
    calls_of_trainer,
)
CALLS = [call for part in _PARTS for call in part.CALLS]
WRONG_CALLS = list(wrong_calls(CALLS))

_MODULES = (pynet, callbacks, criteria, data, init, layers, metrics, optim, optim.lr_scheduler, plot, testing)


def public_callables() -> dict[str, Any]:
    """Return, by their names in the table, functions, constructors, methods and attributes that take something."""
    found: dict[str, Any] = {}
    for module in _MODULES:
        prefix = "" if module in (pynet, layers, criteria) else module.__name__.removeprefix("pynet.") + "."
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) and issubclass(value, tuple):  # what a function returns
                continue
            if inspect.isclass(value):
                if _takes_something(value):
                    found[prefix + name] = value
                found |= {f"{name}.{method}": each for method, each in _of_class(value)}
            elif callable(value) and _takes_something(value):
                found[prefix + name] = value
    return found


def _of_class(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield what a class, or a base of it that is not public, defines."""
    own = [base for base in cls.__mro__ if base is cls or (base.__name__.startswith("_") and base is not object)]
    for base in own:
        for name, value in vars(base).items():
            if name.startswith("_") and name != "__call__":
                continue
            value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            is_method = inspect.isfunction(value) and len(inspect.signature(value).parameters) > 1
            is_assigned = isinstance(value, property) and value.fset is not None
            if is_method or is_assigned or isinstance(value, Watched):
                yield name, value


def _takes_something(called: Any) -> bool:
    try:
        return bool(inspect.signature(called).parameters)
    except ValueError:  # built in
        return False
