"""Embedding takes, for every index, a row of its weight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from ..arrays import Array, choose_dtype
from ..checks import as_int, as_size
from ..freezing import leaves_frozen
from ..module import named
from ..random import Randomness, Seed
from ..watched import Fixed
from .parametric import Parametric, array_attribute

if TYPE_CHECKING:
    from ..compiled.plan import Plan


class Embedding(Parametric):
    """``output = weight[input]``: for every index a vector that is learned.

    Backward: ``grad_weight[e]`` is the sum of ``grad_output`` over all places whose index is ``e``. Indices have no
    gradient: ``grad_input`` is zeros. PyTorch's Embedding.

    Parameters
    ----------
    num_embeddings : int
        How many indices there are: 0 to ``num_embeddings - 1``.
    embedding_dim : int
        Length of the vectors.
    padding_idx : int, optional
        An index whose vector is zeros at first and learns nothing; a negative one counts from the end.
    dtype : float32 or float64, optional
        Of the weight; `pynet.get_default_dtype()` (float64) unless given.
    seed : int or numpy.random.Generator, optional
        Where the weight comes from: normal, of mean 0 and deviation 1. NumPy's global generator unless given.

    Attributes
    ----------
    weight, grad_weight : array (num_embeddings, embedding_dim)

    Shapes
    ------
    input (...) of indices, output (..., embedding_dim); grad_input (...) of the weight's dtype.

    Raises
    ------
    TypeError
        If an argument is no int.
    ValueError
        If an input holds anything but whole numbers from 0 to ``num_embeddings - 1``; if an argument is out of range.

    Notes
    -----
    Floats that are whole numbers are taken as well, for codes often stand beside amounts in one matrix: see `Columns`.
    Gradients are summed in double, in the order of the batch.

    References
    ----------
    Bengio, Ducharme, Vincent, Jauvin, "A neural probabilistic language model", Journal of Machine Learning Research 3,
    2003.
    """

    parameter_names = ("weight",)
    takes_indices = True

    num_embeddings = Fixed("How many indices there are.")
    embedding_dim = Fixed("Length of the vectors.")
    weight = array_attribute("weight", "weight", "The vectors, (num_embeddings, embedding_dim).")
    grad_weight = array_attribute("grad_weight", "grad_weight", "The gradient of weight.")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: npt.DTypeLike | None = None,
        seed: Seed = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = as_size(num_embeddings, "num_embeddings", smallest=1)
        self.embedding_dim = as_size(embedding_dim, "embedding_dim", smallest=1)
        self._padding_idx = _as_padding(padding_idx, self.num_embeddings)
        shape, kind = (self.num_embeddings, self.embedding_dim), choose_dtype(dtype)
        self._weight = Randomness(seed).normal_parameter(shape, kind)
        self._grad_weight = np.zeros(shape, kind)
        if self.padding_idx is not None:
            self._weight[self.padding_idx] = 0

    @named
    def forward(self, input: npt.ArrayLike) -> Array:
        """Return the vectors of the indices."""
        self.output = output = _core.embedding_forward(input, self._weight)
        return output

    @leaves_frozen
    @named
    def backward(self, input: npt.ArrayLike, grad_output: npt.ArrayLike, accumulate: bool = False) -> Array:
        """Return zeros in the shape of ``input``; write ``grad_weight``, or add to it."""
        grad_weight = self._to_write(self._grad_weight)
        return _core.embedding_backward(input, grad_output, self._weight, grad_weight, self._padding, bool(accumulate))

    @property
    def padding_idx(self) -> int | None:
        """The index whose vector learns nothing, or None."""
        return self._padding_idx

    @padding_idx.setter
    def padding_idx(self, value: int | None) -> None:
        self._padding_idx = _as_padding(value, self.num_embeddings)
        _core.structure_changed()

    @property
    def _padding(self) -> int:
        return -1 if self._padding_idx is None else self._padding_idx

    def add_to(self, plan: Plan) -> None:
        """Describe this layer to a compiled step."""
        plan.embedding(self._weight, self._to_write(self._grad_weight), self._padding)

    def flops(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return nothing for forward, which only copies, and the sum for backward."""
        return 0, math.prod(input_shape) * self.embedding_dim

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        names = ("num_embeddings", "embedding_dim", "padding_idx")
        return {name: getattr(self, name) for name in names} | {"dtype": self._weight.dtype.name}


def _as_padding(value: Any, count: int) -> int | None:
    if value is None:
        return None
    index = as_int(value, "padding_idx")
    if not -count <= index < count:
        raise ValueError(f"padding_idx must be from {-count} to {count - 1}, got {index}")
    return index % count
