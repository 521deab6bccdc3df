"""Average precision of a ranking, class by class: what mAP is the mean of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def average_precisions(scores: NDArray[np.floating], shows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Average precision of each class [C] from `scores` [n, C] of what each image `shows` [n, C].

    Σ over distinct scores, from the highest, of (recall here − recall before) · precision here: no interpolation, and
    equal scores are one step (as scikit-learn's `average_precision_score`). NaN for a class that no image shows.
    """
    return np.array([_average_precision(scores[:, place], shows[:, place]) for place in range(shows.shape[1])])


def mean_average_precision(scores: NDArray[np.floating], shows: NDArray[np.bool_]) -> float:
    """The mean over classes that some image shows."""
    present = shows.any(axis=0)
    return float(average_precisions(scores[:, present], shows[:, present]).mean()) if present.any() else 0.0


def _average_precision(scores: NDArray[np.floating], shows: NDArray[np.bool_]) -> float:
    order = np.argsort(-scores, kind="stable")
    ranked, found = scores[order], np.cumsum(shows[order])
    if not found[-1]:
        return float("nan")
    last_of_equals = np.append(ranked[1:] != ranked[:-1], True)
    found, seen = found[last_of_equals], np.flatnonzero(last_of_equals) + 1
    return float((np.diff(found, prepend=0) * found / seen).sum() / found[-1])
