"""Where randomness comes from: NumPy's global generator, as in the notebook, or a seed of one's own."""

from typing import Any, TypeAlias

import numpy as np

from .arrays import aligned, aligned_empty, stay_unfilled

# Quoted, because NumPy loads its generators when they are first named: 10 ms that `import pynet` need not take.
Seed: TypeAlias = "int | np.integer[Any] | np.random.Generator | None"


class Randomness:
    """Random draws from a seed, a generator, or (None) NumPy's global state, so that ``np.random.seed(0)`` counts."""

    generator: "np.random.Generator | None"

    def __init__(self, seed: Seed = None) -> None:
        if seed is None or isinstance(seed, np.random.Generator):
            self.generator = seed
        elif isinstance(seed, int | np.integer) and not isinstance(seed, bool):
            if seed < 0:
                raise ValueError(f"seed must be at least 0, got {seed}")
            self.generator = np.random.default_rng(int(seed))
        else:
            raise TypeError(f"seed must be None, an int or a numpy.random.Generator, got {seed!r:.80}")

    def uniform(self, bound: float, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Draw from [-bound, bound)."""
        return (self.generator or np.random).uniform(-bound, bound, shape)

    def parameter(self, bound: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, np.dtype[Any]]:
        """Draw a parameter from [-bound, bound): an array that starts at a cache line."""
        if stay_unfilled():
            return aligned_empty(shape, dtype)
        return aligned(self.uniform(bound, shape).astype(dtype, copy=False))

    def normal_parameter(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, np.dtype[Any]]:
        """Draw a parameter from the normal distribution: an array that starts at a cache line."""
        if stay_unfilled():
            return aligned_empty(shape, dtype)
        return aligned(self.normal(shape).astype(dtype, copy=False))

    def normal(self, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Draw from the normal distribution of mean 0 and deviation 1."""
        return (self.generator or np.random).normal(size=shape)

    def permutation(self, size: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Draw an order of ``range(size)``."""
        return (self.generator or np.random).permutation(size)

    def word(self) -> int:
        """Draw one number of 64 bits."""
        if self.generator is not None:
            return int(self.generator.integers(0, 2**64, dtype=np.uint64))
        return int(np.random.randint(0, 2**64, dtype=np.uint64))
