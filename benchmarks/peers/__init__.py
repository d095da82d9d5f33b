"""Everybody who takes part: each file has one way to train and to predict, as its documentation says is fastest.

A peer is made from a cell. ``train(i)`` runs one step on batch i and returns a loss (or what becomes one),
``predict(i)`` returns scores, ``finish(value)`` waits for a value and returns it as NumPy's, ``weights()`` returns W
and b of every layer. ``steps`` is how many steps one call of ``train`` is, ``scores`` whether
``predict`` returns the scores.
"""

from __future__ import annotations

import importlib
from typing import Any

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


def load(name: str) -> Any:
    """Return a peer's class, or None if its library is missing."""
    try:
        return importlib.import_module(f"peers.{name}_peer").Peer
    except ImportError as error:
        print(f"{TITLES[name]} is left out: {error}")
        return None
