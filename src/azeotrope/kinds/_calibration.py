"""Whether probabilities mean what they say: expected calibration error, shared by the kinds that give probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 15  # of equal width, as Guo et al. 2017


def expected_calibration_error(said: NDArray[np.float64], came_true: NDArray[np.bool_]) -> float:
    """Σ over bins of the share of answers in it · |how often they came true − what they said on average|.

    `said` are probabilities [n], `came_true` whether it was so [n]. Guo et al. 2017, arXiv 1706.04599, equation 3.
    """
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=came_true - said, minlength=BINS)
    return float(np.abs(gaps).sum() / len(said))
