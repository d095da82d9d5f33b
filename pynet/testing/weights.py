"""What each output counts in a check of gradients, unless the caller says so."""

import numpy as np

from ..arrays import Array


def mixed_weights(shape: tuple[int, ...]) -> Array:
    """Return numbers from 0.25 to 4 in size, always the same ones: half of them negative, a single one too.

    A backward that takes the size of what it is given, or clips it, is right for positive numbers near 1.
    """
    random = np.random.default_rng(0)
    sizes = np.asarray(2 ** random.uniform(-2, 2, shape))
    signs = random.permutation(np.resize([-1.0, 1.0], sizes.size)).reshape(shape)
    return np.asarray(sizes * signs)
