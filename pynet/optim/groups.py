"""Parameter groups: a learning rate and a weight decay of their own for some of a model's parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import protocol
from ..arrays import Array
from ..checks import as_at_least_zero, as_mapping, as_names, require_entries
from ..places import places, title

GivenGroups: TypeAlias = Iterable[Mapping[str, Any]]

_NUMBERS = ("lr", "weight_decay")


class Group(NamedTuple):
    """Some of a model's parameters, and the numbers with which they move now.

    Attributes
    ----------
    parameters : list of str
        Their names.
    lr, weight_decay : float
    """

    parameters: list[str]
    lr: float
    weight_decay: float


class _Members(NamedTuple):
    """Which parameters are a group's, and what it has of its own."""

    chosen: list[Any]  # modules, and patterns of names
    lr_ratio: float  # of its learning rate to the optimizer's
    weight_decay: float | None

    def names(self, parameters: list[protocol.Parameter]) -> set[str]:
        return {name for chosen in self.chosen for name in _names(chosen, parameters)}


class Groups:
    """The groups of one optimizer.

    Parameters
    ----------
    model : module
        Whose parameters they divide.
    lr : float
        The optimizer's learning rate, to which theirs keep their proportions.
    given : iterable of dict
        As the optimizers describe it.
    numbers : tuple of str, default ("lr", "weight_decay")
        What a group can have of its own.
    """

    def __init__(self, model: Any, lr: float, given: Any, numbers: tuple[str, ...] = _NUMBERS) -> None:
        dicts = enumerate(_as_dicts(given))
        self._members = [_as_members(model, lr, entries, f"groups[{i}]", numbers) for i, entries in dicts]

    def __len__(self) -> int:
        return len(self._members)

    def assigned(self, parameters: list[protocol.Parameter]) -> list[list[str]]:
        """Return the names of each group's parameters: the first group that matches has one."""
        taken: set[str] = set()
        found = []
        for members in self._members:
            own = members.names(parameters) - taken
            taken |= own
            found.append([parameter.name for parameter in parameters if parameter.name in own])
        return found

    def own_numbers(self, parameters: list[protocol.Parameter], names: list[str]) -> Array | None:
        """Return a row ``lr ratio, weight decay`` for each name, -1 for the optimizer's; None without groups."""
        if not self._members:
            return None
        rows = {parameter.name: (1.0, -1.0) for parameter in parameters}
        for members, own in zip(self._members, self.assigned(parameters), strict=True):
            decay = -1.0 if members.weight_decay is None else members.weight_decay
            rows |= dict.fromkeys(own, (members.lr_ratio, decay))
        return np.array([rows[name] for name in names], np.float64).reshape(-1, 2)

    def at_present(self, model: Any, lr: float, weight_decay: float) -> list[Group]:
        """Return them with the numbers that the optimizer's give them."""
        return [
            Group(names, lr * members.lr_ratio, weight_decay if members.weight_decay is None else members.weight_decay)
            for members, names in zip(self._members, self.assigned(protocol.all_parameters(model)), strict=True)
        ]

    def text(self, model: Any, lr: float) -> str:
        """Return them as they are written."""
        place = {id(module): name for name, module in places(model)}
        written = []
        for members in self._members:
            entries: dict[str, Any] = {"parameters": [_written(chosen, place) for chosen in members.chosen]}
            if members.lr_ratio != 1:
                entries["lr"] = lr * members.lr_ratio
            if members.weight_decay is not None:
                entries["weight_decay"] = members.weight_decay
            written.append(entries)
        return repr(written)

    def state(self, model: Any) -> list[dict[str, Any]]:
        """Return whose parameters are whose, and the numbers."""
        return [
            {"parameters": names, "lr_ratio": members.lr_ratio, "weight_decay": members.weight_decay}
            for members, names in zip(self._members, self.assigned(protocol.all_parameters(model)), strict=True)
        ]

    def with_state(self, model: Any, state: Any) -> Groups:
        """Return the same groups with the numbers of a `state`.

        Raises
        ------
        TypeError, ValueError
            If it is not of such groups, or a number is out of range.
        """
        assigned = self.assigned(protocol.all_parameters(model))
        if not isinstance(state, list | tuple) or len(state) != len(assigned):
            raise ValueError(f"state['groups'] must be a list of {len(assigned)} groups, got {state!r:.80}")
        new = Groups(model, 1.0, ())
        for i, (entries, names, members) in enumerate(zip(state, assigned, self._members, strict=True)):
            where = f"state['groups'][{i}]"
            require_entries(as_mapping(entries, where), {"parameters", "lr_ratio", "weight_decay"})
            if as_names(entries["parameters"], f"parameters of {where}") != names:
                raise ValueError(f"{where} has the parameters {entries['parameters']}, expected {names}")
            decay = entries["weight_decay"]
            ratio = as_at_least_zero(entries["lr_ratio"], f"lr_ratio of {where}")
            decay = None if decay is None else as_at_least_zero(decay, f"weight_decay of {where}")
            new._members.append(_Members(members.chosen, ratio, decay))
        return new


def _as_dicts(given: Any) -> list[Mapping[str, Any]]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise TypeError(f"groups must be a list of dicts, got {type(given).__name__}")
    found = list(given)
    for i, entries in enumerate(found):
        if not isinstance(entries, Mapping):
            raise TypeError(f"groups[{i}] must be a dict, got {type(entries).__name__}")
    return found


def _as_members(model: Any, lr: float, entries: Mapping[str, Any], where: str, numbers: tuple[str, ...]) -> _Members:
    if "parameters" not in entries or any(name not in ("parameters", *numbers) for name in entries):
        expected = " or ".join(map(repr, numbers))
        raise ValueError(f"{where} has {sorted(map(str, entries))}, expected 'parameters' and {expected}")
    own = {name: as_at_least_zero(entries[name], f"{where}['{name}']") for name in numbers if name in entries}
    if own.get("lr") is not None and lr == 0:
        raise ValueError(f"{where} has an lr, which keeps its proportion to the optimizer's: that must not be 0")
    given = entries["parameters"]
    chosen = list(given) if isinstance(given, list | tuple) else [given]
    parameters = protocol.all_parameters(model)
    below = {id(module) for _, module in protocol.modules(model)}
    for each in chosen:
        if not isinstance(each, str) and not protocol.is_module(each):
            raise TypeError(f"{where}['parameters'] must be a module, a pattern or a list of these, got {each!r:.80}")
        if not isinstance(each, str) and id(each) not in below:
            raise ValueError(f"{where}['parameters']: {title(each)} is no module of the model")
        if not _names(each, parameters):
            names = ", ".join(parameter.name for parameter in parameters[:8]) + (", ..." if parameters[8:] else "")
            shown = repr(each) if isinstance(each, str) else title(each)
            raise ValueError(f"{where}['parameters']: no parameter for {shown}, there are {names}")
    if not chosen:
        raise ValueError(f"{where}['parameters'] is empty")
    return _Members(chosen, own["lr"] / lr if "lr" in own else 1.0, own.get("weight_decay"))


def _names(chosen: Any, parameters: list[protocol.Parameter]) -> list[str]:
    """Return the names of a module's parameters, or of those that a pattern matches."""
    if isinstance(chosen, str):
        return [parameter.name for parameter in parameters if fnmatchcase(parameter.name, chosen)]
    arrays = {id(parameter.array) for parameter in protocol.all_parameters(chosen)}
    return [parameter.name for parameter in parameters if id(parameter.array) in arrays]


def _written(chosen: Any, place: dict[int, str]) -> str:
    if isinstance(chosen, str):
        return chosen
    found = place.get(id(chosen))
    return f"{found}.*" if found else "*" if found == "" else title(chosen)
