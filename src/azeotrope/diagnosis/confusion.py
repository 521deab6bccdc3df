"""Which class is taken for which, where an image has one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from azeotrope.diagnosis.records import Confused

MOST = 30  # classes of which all pairs are shown; of more the most confused pairs
PAIRS = 20


def confusion(
    labels: Int[np.ndarray, " n"], said: Int[np.ndarray, "seeds n"], classes: int
) -> Float[np.ndarray, "C C"]:
    """Images a run: a row a true class, a column an answer."""
    cells = np.bincount((labels.astype(np.int64) * classes + said).ravel(), minlength=classes**2)
    return cells.reshape(classes, classes) / len(said)


def most_confused(counts: NDArray[np.float64], names: Sequence[str], pairs: int = PAIRS) -> tuple[Confused, ...]:
    """The pairs with most images first; of equal ones the larger share of the class."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.lexsort((-shares.ravel(), -wrong.ravel()))[:pairs]
    found = [(int(place // len(names)), int(place % len(names))) for place in order]
    return tuple(
        Confused(label=names[a], answer=names[b], images=float(wrong[a, b]), share=float(shares[a, b]))
        for a, b in found
        if wrong[a, b] > 0
    )
