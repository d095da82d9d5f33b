"""From a model of PyTorch to one of pynet."""

from __future__ import annotations

from typing import Any

from ..arrays import Array
from ..protocol import is_module
from ..sequential import Sequential
from .conversion import Conversion, Others, at, below
from .counterparts import Counterpart, counterpart_of_torch, is_torchs_own


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
        become float32. Layers whose parameters all require no gradient are frozen.

    Raises
    ------
    TypeError
        If ``module`` is none of PyTorch's, or holds one that has no counterpart: names it and its place; if ``others``
        is no dict of functions.
    ValueError
        If a module does what its counterpart does not, such as a Softmax over another axis than the last, or has some
        parameters that require a gradient and some that do not.

    Examples
    --------
    >>> theirs = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> ours = pynet.from_torch(theirs)
    """
    conversion = _FromTorch(others)
    if not any(map(is_torchs_own, type(module).__mro__)):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    return conversion.convert(module)


class _FromTorch(Conversion):
    function, library = "from_torch", "pynet"

    def _new(self, module: Any, place: str) -> Any:
        cls = type(module)
        if cls.__name__ == "Sequential" and is_torchs_own(cls):
            layers = [self.convert(child, below(place, name)) for name, child in module._modules.items()]
            return Sequential(*layers).train(module.training)
        row = counterpart_of_torch(cls)
        if row is None:
            raise self._no_counterpart(module, place)
        return _construct(row, module, place)


def _construct(row: Counterpart, module: Any, place: str) -> Any:
    _require_the_same(row, module, place)
    try:
        made = _made(row, module)
    except (TypeError, ValueError) as error:
        message = f"{type(module).__name__}{at(place)} cannot become a {row.ours.__name__}: {error}"
        raise ValueError(message) from error
    if not is_module(made):  # a criterion
        return made
    made.frozen = _is_frozen(module, place)
    return made.train(module.training)


def _require_the_same(row: Counterpart, module: Any, place: str) -> None:
    for name, value in row.fixed.items():
        if getattr(module, name) is not value and getattr(module, name) != value:
            raise ValueError(
                f"{type(module).__name__}{at(place)} has {name}={getattr(module, name)!r}, "
                f"and {row.ours.__name__} is as {name}={value!r}"
            )
    missing = [name for name in row.together if getattr(module, name) is None]
    if 0 < len(missing) < len(row.together):
        raise ValueError(
            f"{type(module).__name__}{at(place)} has {missing[0]}=None, "
            f"and {row.ours.__name__} has all of {', '.join(row.together)} or none"
        )


def _made(row: Counterpart, module: Any) -> Any:
    state = {name: _as_numpy(value) for name, value in module.state_dict().items()}
    arguments = {ours: _argument(ours, getattr(module, theirs)) for ours, theirs in row.arguments.items()}
    made = row.ours(**arguments)
    if is_module(made):
        floats = [array.dtype for array in state.values() if array.dtype.kind == "f"]
        if floats:
            made.astype(floats[0])
        made.load_state_dict(state)
    return made


def _is_frozen(module: Any, place: str) -> bool:
    learns = {name: parameter.requires_grad for name, parameter in module.named_parameters(recurse=False)}
    if len(set(learns.values())) > 1:
        raise ValueError(
            f"{type(module).__name__}{at(place)} has requires_grad={learns}, and a layer of pynet is frozen as a whole"
        )
    return bool(learns) and not any(learns.values())


def _argument(name: str, value: Any) -> Any:
    if name == "bias":  # there an array or None
        return value is not None and value is not False
    return _as_numpy(value) if hasattr(value, "detach") else value


def _as_numpy(tensor: Any) -> Array:
    tensor = tensor.detach().cpu()
    is_short = tensor.is_floating_point() and tensor.element_size() < 4
    array: Array = (tensor.float() if is_short else tensor).numpy().copy()
    return array
