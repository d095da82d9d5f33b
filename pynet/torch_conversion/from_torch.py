"""From a model of PyTorch to one of pynet."""

from __future__ import annotations

from typing import Any

from ..arrays import Array
from ..sequential import Sequential
from .counterparts import Counterpart, Others, as_others, counterpart_of_torch, no_counterpart


def from_torch(module: Any, others: Others | None = None) -> Any:
    """Return a module or criterion of PyTorch as pynet's, with copies of its parameters and buffers.

    Parameters
    ----------
    module : torch.nn.Module
        A layer, a loss, or an ``nn.Sequential`` of layers, nested as deep as you like.
    others : dict of type to function, optional
        For classes that have no counterpart here: a function that is given the module and returns ours.

    Returns
    -------
    Module or Criterion
        Of the dtype of its parameters, in the same mode; what is shared there is shared here. float16 and bfloat16
        become float32.

    Raises
    ------
    TypeError
        If ``module`` is none of PyTorch's, or holds one that has no counterpart: names it and its place; if ``others``
        is no dict of functions.
    ValueError
        If a module does what its counterpart does not, such as a Softmax over another axis than the last.

    Examples
    --------
    >>> theirs = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> ours = pynet.from_torch(theirs)
    """
    known = as_others(others)
    if not any(cls.__module__.startswith("torch.nn.modules.") for cls in type(module).__mro__):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    return _Conversion(known).convert(module, "")


class _Conversion:
    def __init__(self, others: Others) -> None:
        self._others = others
        self._made: dict[int, Any] = {}  # a module that stands twice there does so here

    def convert(self, module: Any, place: str) -> Any:
        if id(module) not in self._made:
            self._made[id(module)] = self._new(module, place)
        return self._made[id(module)]

    def _new(self, module: Any, place: str) -> Any:
        other = self._others.get(type(module))
        if other is not None:
            return other(module)
        if type(module).__name__ == "Sequential" and type(module).__module__.startswith("torch.nn.modules."):
            inner = f"{place}." if place else ""
            layers = [self.convert(child, inner + name) for name, child in module._modules.items()]
            return Sequential(*layers).train(module.training)
        row = counterpart_of_torch(type(module))
        if row is None:
            raise no_counterpart(module, place, "from_torch", "pynet")
        return _construct(row, module, place)


def _construct(row: Counterpart, module: Any, place: str) -> Any:
    for name, value in row.fixed.items():
        if getattr(module, name) is not value and getattr(module, name) != value:
            raise ValueError(
                f"{type(module).__name__}{f' at {place!r}' if place else ''} has {name}={getattr(module, name)!r}, "
                f"and {row.ours.__name__} is as {name}={value!r}"
            )
    state = {name: _as_numpy(value) for name, value in module.state_dict().items()}
    arguments = {ours: _argument(ours, getattr(module, theirs)) for ours, theirs in row.arguments.items()}
    made = row.ours(**arguments)
    if not hasattr(made, "load_state_dict"):  # a criterion
        return made
    floats = [array.dtype for array in state.values() if array.dtype.kind == "f"]
    if floats:
        made.astype(floats[0])
    made.load_state_dict(state)
    return made.train(module.training)


def _argument(name: str, value: Any) -> Any:
    if name == "bias":  # there an array or None
        return value is not None and value is not False
    return _as_numpy(value) if hasattr(value, "detach") else value


def _as_numpy(tensor: Any) -> Array:
    tensor = tensor.detach().cpu()
    is_short = tensor.is_floating_point() and tensor.element_size() < 4
    array: Array = (tensor.float() if is_short else tensor).numpy().copy()
    return array
