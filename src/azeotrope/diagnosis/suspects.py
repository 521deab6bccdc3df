"""Which labels are likely wrong: confident learning, from probabilities that were made without the label.

Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", JAIR 70, arXiv
1911.00068. It ranks and drops nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64


@dataclass(frozen=True, eq=False)
class Suspects:
    """m images whose label is likely wrong, the surest first: their places among the n, the class that they likely
    show, and by how much more probable it is than the label, 0 to 1.
    """

    places: Int64[np.ndarray, " m"]
    likely: Int64[np.ndarray, " m"]
    margins: Float64[np.ndarray, " m"]


def suspects(
    probabilities: Float64[np.ndarray, "n C"], labels: Int64[np.ndarray, " n"], judged: Bool[np.ndarray, " n"]
) -> Suspects:
    """Those of the images `judged` that are off the diagonal of a variant of the confident joint (equation 1 there).

    An image is counted for class j if its probability of j is at least the mean of that of the images labelled j, so
    that classes of which the model is less sure are not suspected more; among several it is the likeliest. It is
    suspect if that is another class than its label, and (which equation 1 does not ask) more probable. A class of which
    no image is judged has no threshold that could be reached, and is nobody's likely class.
    """
    own = probabilities[np.arange(len(labels)), labels]
    classes = probabilities.shape[1]
    counts, sums = (np.bincount(labels, weights=each, minlength=classes) for each in (None, own))
    known = np.bincount(labels[judged], minlength=classes) > 0
    thresholds = np.divide(sums, counts, out=np.full(classes, np.inf), where=known)
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = confident.argmax(axis=1)
    margins = confident.max(axis=1) - own
    places = np.flatnonzero(judged & (margins > 0) & (likely != labels))
    places = places[np.argsort(-margins[places], kind="stable")]
    return Suspects(places, likely[places], margins[places])
