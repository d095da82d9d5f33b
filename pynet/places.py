"""Where modules stand in a model, and what to call them in one line."""

import reprlib
from typing import Any

from . import protocol
from .describe import call_text


def places(model: Any) -> list[tuple[str, Any]]:
    """Return a model and all below it, each once, with their places: '' for the model itself, '0', '1.body'."""
    return [(prefix.removesuffix("."), module) for prefix, module in protocol.modules(model)]


def leaves(model: Any) -> list[tuple[str, Any]]:
    """Return those of `places` that hold no other modules."""
    return [(place, module) for place, module in places(model) if is_leaf(module)]


def is_leaf(module: Any) -> bool:
    """Whether a module holds no others."""
    return next(iter(protocol.children(module)), None) is None


def own_parameters(module: Any) -> list[protocol.Parameter]:
    """Return the parameters of a module without those of the modules that it holds."""
    below = {id(p.array) for _, child in protocol.children(module) for p in protocol.all_parameters(child)}
    return [parameter for parameter in protocol.all_parameters(module) if id(parameter.array) not in below]


def title(module: Any) -> str:
    """Return a module in one line: its repr, but of one that holds others the class alone."""
    if not is_leaf(module):
        return type(module).__name__
    return text_of(module).partition("\n")[0]


def text_of(module: Any) -> str:
    """Return a module's repr, or for a user's class without one, nor a base that has one, what `Module` would say."""
    written = any("__repr__" in vars(cls) for cls in type(module).__mro__[:-1])
    return repr(module) if written else block_text(module)


@reprlib.recursive_repr()
def block_text(module: Any) -> str:
    """Return a module as the call that constructs it, or with the modules that it holds on a line each."""
    below = list(protocol.children(module))
    if not below:
        return call_text(module)
    lines = [f"  ({name}): " + text_of(child).replace("\n", "\n  ") for name, child in below]
    return "\n".join([f"{type(module).__name__}(", *lines, ")"])


def placed_title(place: str, module: Any) -> str:
    """Return `title` with the place before it: ``2  Linear(64, 10)``."""
    return f"{place}  {title(module)}" if place else title(module)
