"""Which class of torch.nn is which class of pynet, and what their constructors' arguments are called."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import criteria, layers
from ..describe import config_of

_SAME = {
    layers: (
        *("Dropout", "Flatten", "Identity", "Unflatten"),
        *("LayerNorm", "RMSNorm"),
        *("ELU", "GELU", "Hardsigmoid", "Hardswish", "Hardtanh", "LogSigmoid", "Mish", "PReLU", "ReLU", "ReLU6"),
        "SELU",
        *("SiLU", "Sigmoid", "Softplus", "Softsign", "Tanh"),
    ),
    criteria: (
        *("CrossEntropyLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "NLLLoss", "PoissonNLLLoss"),
        "SmoothL1Loss",
    ),
}


class Counterpart(NamedTuple):
    """A class of pynet, and the one of torch.nn that computes the same."""

    ours: type
    theirs: str
    names: Mapping[str, str] = {}  # of our arguments those that have another name there
    fixed: Mapping[str, Any] = {}  # attributes that theirs must have, and their values
    together: tuple[str, ...] = ()  # parameters of which ours has all or none

    @property
    def arguments(self) -> dict[str, str]:
        """Our constructor's arguments and their names there."""
        found = [name for name in inspect.signature(self.ours).parameters if name not in ("dtype", "seed")]
        return {name: self.names.get(name, name) for name in found}


_LAST_AXIS = {"dim": -1}
_STATISTICS = {"track_running_stats": True}
_UNWEIGHTED = {"weight": None}
_AFFINE = ("weight", "bias")

COUNTERPARTS = [
    *(Counterpart(getattr(module, name), name) for module, names in _SAME.items() for name in names),
    Counterpart(layers.Linear, "Linear", {"dim_in": "in_features", "dim_out": "out_features"}),
    Counterpart(layers.Embedding, "Embedding", fixed={"max_norm": None, "scale_grad_by_freq": False}),
    Counterpart(layers.LeakyReLU, "LeakyReLU", {"slope": "negative_slope"}),
    Counterpart(layers.SoftMax, "Softmax", fixed=_LAST_AXIS),
    Counterpart(layers.LogSoftMax, "LogSoftmax", fixed=_LAST_AXIS),
    Counterpart(layers.GroupNorm, "GroupNorm", together=_AFFINE),
    *(Counterpart(layers.BatchNorm, f"BatchNorm{n}d", fixed=_STATISTICS, together=_AFFINE) for n in (1, 2, 3)),
    *(Counterpart(getattr(criteria, name), name, fixed=_UNWEIGHTED) for name in ("BCELoss", "BCEWithLogitsLoss")),
]


def counterpart_of(cls: type) -> Counterpart | None:
    """Return the first row that has this class of pynet."""
    return next((row for row in COUNTERPARTS if row.ours is cls), None)


def counterpart_of_torch(cls: type) -> Counterpart | None:
    """Return the row that has this class of torch.nn."""
    if not is_torchs_own(cls):
        return None
    return next((row for row in COUNTERPARTS if row.theirs == cls.__name__), None)


def is_torchs_own(cls: type) -> bool:
    """Whether a class is a module of PyTorch's, and not of somebody who derives from one: torch need not be there."""
    return cls.__module__.startswith("torch.nn.modules.")


def arguments_of(module: Any) -> dict[str, Any]:
    """Return what one of our modules or criteria was constructed with, but for its dtype."""
    return {name: value for name, value in config_of(module).items() if name != "dtype"}
