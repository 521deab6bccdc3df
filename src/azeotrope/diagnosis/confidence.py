"""Whether a model knows what it does not know: calibration, and the error left when the unsure is refused."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from azeotrope.diagnosis.classes import Clusters
from azeotrope.diagnosis.ratio import ratio
from azeotrope.diagnosis.records import Bin, Coverage

BINS = 15  # of equal width, those of the recorded calibration error
KEPT = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)


def calibration(sure: Float[np.ndarray, "seeds n"], right: Bool[np.ndarray, "seeds n"]) -> tuple[Bin, ...]:
    """The reliability curve (Guo et al. 2017): answers in bins of what they say of themselves; empty ones left out."""
    number = np.minimum((sure * BINS).astype(int), BINS - 1).ravel()
    counts = np.bincount(number, minlength=BINS)
    said, true = (np.bincount(number, weights=each.ravel().astype(float), minlength=BINS) for each in (sure, right))
    return tuple(
        Bin(said=float(said[place] / count), came_true=float(true[place] / count), share=float(count / sure.size))
        for place, count in enumerate(counts.tolist())
        if count
    )


def coverage(
    sure: Float[np.ndarray, "seeds n"], right: Bool[np.ndarray, "seeds n"], clusters: Clusters
) -> tuple[Coverage, ...]:
    """The error among the surest answers (selective classification: El-Yaniv & Wiener 2010). Of answers that are
    equally sure all or none are kept, so a share may be a little larger than it says.
    """
    rows = []
    ordered: NDArray[np.float64] = np.sort(sure, axis=1)[:, ::-1].astype(float)
    for kept in KEPT:
        last = max(0, round(kept * sure.shape[1]) - 1)
        least = ordered[:, last]
        chosen = sure >= least[:, None]
        error = ratio((chosen & ~right).astype(float), chosen.astype(float), clusters)
        assert error is not None, "at least one answer is kept"
        rows.append(Coverage(kept=float(chosen.mean()), threshold=float(least.mean()), error=error))
    return tuple(rows)
