"""The state of everything random in a run, so that a resumed one draws what the other would have drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import protocol
from ..errors import CheckpointError
from ..random import Randomness


def capture(model: Any, order: Randomness) -> dict[str, Any]:
    """Return the states of NumPy's global generator and of those that a model and the order of rows have."""
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    own = [generator.bit_generator.state for generator in _generators(model, order)]
    return {"numpy": [kind, np.array(keys), position, has_gauss, gauss], "own": own}


def require(state: Any) -> None:
    """Raise CheckpointError if this is nothing that `capture` returned.

    NumPy takes whatever position it is given as the next number's place in memory.
    """
    kind, keys, position, has_gauss, gauss = state["numpy"]
    positions = [(position, len(keys)), *(pair for own in state["own"] for pair in _positions(own))]
    if kind != "MT19937" or not all(type(p) is int and 0 <= p <= most for p, most in positions):
        raise CheckpointError("its state of the random generators is none")
    if keys.shape != (624,) or type(has_gauss) is not int or not isinstance(gauss, int | float):
        raise CheckpointError("its state of NumPy's random generator is none")


def _positions(own: dict[str, Any]) -> list[tuple[Any, int]]:
    """Return where a generator is in the numbers that it has in store, and how many those are."""
    if own["bit_generator"] == "MT19937":
        return [(own["state"]["pos"], 624)]
    return [(own["buffer_pos"], 4)] if own["bit_generator"] == "Philox" else []


def restore(state: dict[str, Any], model: Any, order: Randomness) -> None:
    """Put back what `capture` returned.

    Raises
    ------
    ValueError
        If there are other generators now.
    """
    generators = _generators(model, order)
    if len(generators) != len(state["own"]):
        had, has = len(state["own"]), len(generators)
        raise ValueError(f"the run that is resumed had {had} random generators of its own, this one has {has}")
    for generator, own in zip(generators, state["own"], strict=True):
        generator.bit_generator.state = own
    np.random.set_state(tuple(state["numpy"]))


def _generators(model: Any, order: Randomness) -> list[np.random.Generator]:
    """Return each generator once, however many layers share it."""
    found: dict[int, np.random.Generator] = {}
    for _, module in protocol.modules(model):
        for value in [*protocol.attributes_of(module).values()]:
            _add(value, found)
    _add(order, found)
    return list(found.values())


def _add(value: Any, found: dict[int, np.random.Generator]) -> None:
    generator = value.generator if isinstance(value, Randomness) else value
    if isinstance(generator, np.random.Generator):
        found.setdefault(id(generator), generator)
