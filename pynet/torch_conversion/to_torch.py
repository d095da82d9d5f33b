"""From a model of pynet to one of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import get_default_dtype
from ..criterion import Criterion
from ..freezing import is_frozen
from ..protocol import is_module
from ..sequential import Sequential
from .conversion import Conversion, Others, below
from .counterparts import arguments_of, counterpart_of


def to_torch(model: Any, others: Others | None = None) -> Any:
    """Return a module or criterion as PyTorch's, with copies of its parameters and buffers.

    Parameters
    ----------
    model : Module or Criterion
        A layer, a criterion, or a Sequential of layers.
    others : dict of type to function, optional
        For classes that have no counterpart there: a function that is given the module and returns theirs.

    Returns
    -------
    torch.nn.Module
        Of the same dtype, in the same mode; what is shared here is shared there, and parameters of frozen layers
        require no gradient. A BatchNorm is a ``BatchNorm1d``, which takes inputs of two or three axes.
        Weights of classes or columns are float32 if they are so here, else of `pynet.get_default_dtype()`, as the
        models made beside them. PyTorch wants scores of the same, where pynet converts: ``theirs.to(torch.float32)``.

    Raises
    ------
    ImportError
        If PyTorch is missing.
    TypeError
        If ``model`` is no module, or holds one that has no counterpart: names it and its place; if ``others`` is no
        dict of functions.

    Examples
    --------
    >>> theirs = pynet.to_torch(pynet.Sequential(pynet.Linear(4, 8), pynet.ReLU(), pynet.Linear(8, 2)))
    """
    conversion = _ToTorch(others)
    if not is_module(model) and not isinstance(model, Criterion):
        raise TypeError(f"model must be a module or a criterion, got {type(model).__name__}")
    return conversion.convert(model)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError("to_torch needs PyTorch: pip install torch") from error
    return torch


class _ToTorch(Conversion):
    function, library = "to_torch", "torch.nn"

    def _new(self, module: Any, place: str) -> Any:
        if type(module) is Sequential:
            layers = [self.convert(child, below(place, position)) for position, child in enumerate(module)]
            return _torch().nn.Sequential(*layers).train(bool(module.training))
        row = counterpart_of(type(module))
        if row is None:
            raise self._no_counterpart(module, place)
        torch = _torch()
        given = {row.names.get(name, name): _argument(name, value) for name, value in arguments_of(module).items()}
        made = getattr(torch.nn, row.theirs)(**given, **row.fixed)
        if is_module(module):
            state = {name: torch.from_numpy(np.array(array)) for name, array in module.state_dict().items()}
            if state:
                made.to(next(iter(state.values())).dtype)
            made.load_state_dict(state)
            made.requires_grad_(not is_frozen(module))
            made.train(bool(module.training))
        return made


def _argument(name: str, value: Any) -> Any:
    if name == "pos_weight" and isinstance(value, float):
        # There a tensor; without axes it leaves the dtype of the loss to the scores, and float64 keeps its digits.
        value = np.array(value)
    elif isinstance(value, np.ndarray) and value.dtype == np.float64:  # as a list becomes, whatever the default
        value = value.astype(get_default_dtype())
    return _torch().from_numpy(value.copy()) if isinstance(value, np.ndarray) else value
