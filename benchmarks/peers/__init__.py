"""Everybody who takes part: each file has one way to train and to predict, as its documentation says is fastest.

A peer is made from a cell. ``train(i)`` runs one step on batch i and returns a loss (or what becomes one),
``predict(i)`` returns scores, ``finish(value)`` waits for a value and returns it as NumPy's, ``weights()`` returns W
and b of every layer. ``steps`` is how many steps one call of ``train`` is, ``scores`` whether
``predict`` returns the scores.
"""

from __future__ import annotations

import importlib
from typing import Any

import cells

NAMES = ("pynet", "pynet_modules", "numpy_by_hand", "torch_eager", "torch_compiled", "jax_jit", "sklearn_mlp", "onnx")
TITLES = {
    "pynet": "pynet",
    "pynet_modules": "pynet, module by module",
    "numpy_by_hand": "NumPy",
    "torch_eager": "PyTorch",
    "torch_compiled": "torch.compile",
    "jax_jit": "JAX",
    "sklearn_mlp": "scikit-learn",
    "onnx": "ONNX Runtime",
}


def taking_part(cell: cells.Cell, names: list[str]) -> list[str]:
    """Return who of them can do what the cell asks for, and is worth asking."""
    absent = set()
    if cell.batch * cell.weights < 5e7:  # at small sizes torch.compile is slower than eager, and compiles for long
        absent.add("torch_compiled")
    if cell.regular:
        absent.add("sklearn_mlp")  # which has neither BatchNorm nor Dropout
    if cell.dtype == "float64":
        absent.add("jax_jit")  # one process has either precision
    return [name for name in names if name not in absent]


def load(name: str) -> Any:
    """Return a peer's class, or None if its library is missing."""
    try:
        return importlib.import_module(f"peers.{name}_peer").Peer
    except ImportError as error:
        print(f"{TITLES[name]} is left out: {error}")
        return None
