"""The images that models are surest about and wrong on: where labels are wrong, they are among these first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

SHOWN, OF_A_CLASS = 24, 6


@dataclass(frozen=True)
class Certain:
    """A test image by its place, the number of its class and of the answer, and the mean probability of that answer."""

    place: int
    label: int
    answer: int
    probability: float


def most_certain(
    labels: Int[np.ndarray, " n"], probabilities: Sequence[Float[np.ndarray, "n C"]], classes: int
) -> tuple[Certain, ...]:
    """The mistakes of the runs' mean probabilities, the surest first: `SHOWN` over all, and up to `OF_A_CLASS` more of
    each class (as label or as answer), fewer where there are many classes.
    """
    said: NDArray[np.float64] = np.mean([each.astype(float) for each in probabilities], axis=0)
    answers, sure = said.argmax(axis=1), said.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    wrong = order[answers[order] != labels[order]]
    each = max(1, min(OF_A_CLASS, 10 * SHOWN // classes))
    chosen = dict.fromkeys(wrong[:SHOWN].tolist())
    for number in range(classes):
        own = wrong[(labels[wrong] == number) | (answers[wrong] == number)]
        chosen |= dict.fromkeys(own[:each].tolist())
    found = [Certain(place, int(labels[place]), int(answers[place]), float(sure[place])) for place in chosen]
    return tuple(sorted(found, key=lambda one: -one.probability))
