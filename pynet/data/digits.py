"""Handwritten digits, to try things on."""

import os

import numpy as np

from ..arrays import Array


def load_digits() -> tuple[Array, Array]:
    """Return 1,797 handwritten digits and what they are.

    Returns
    -------
    X : array (1797, 64) of float64
        Images of 8 by 8 pixels, row by row, from 0 (paper) to 16 (ink).
    y : array (1797,) of int64
        The digits, 0 to 9.

    Notes
    -----
    The test part of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49, licence CC BY 4.0; the same as scikit-learn's ``load_digits``.
    """
    path = os.path.join(os.path.dirname(__file__), "digits.npz")
    with np.load(path, allow_pickle=False) as digits:
        return digits["images"].astype(np.float64), digits["labels"].astype(np.int64)
