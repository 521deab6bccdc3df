"""Classes of unequal size in the loss on labels: weights of the classes, and logit adjustment.

Both follow from the labels that a run is shown: its own training images', and those of made pictures that count as
labelled. They change what is learnt from labels and nothing of what
is said: predictions, validation and test are without them. Balanced sampling, which changes what is shown, is in
`data.division.sampling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.errors import InputError
from azeotrope.kinds._kind import Kind, Labels
from azeotrope.recipe import AUTO, OFF, Recipe

BETA = 0.999  # beyond a thousand images a class is hardly weighted less for having more (Cui et al. try 0.9 to 0.9999)


@dataclass(frozen=True)
class Balance:
    """What the loss on labels is multiplied by, class by class, and what is added to the outputs in it."""

    weights: Float[Tensor, " C"] | None = None
    offsets: Float[Tensor, " C"] | None = None


UNBALANCED = Balance()
_OPTIONS = {
    "class_weights": "--class-weights",
    "sampling": "--sampling balanced",
    "logit_adjustment": "--logit-adjustment",
}


class Shown(NamedTuple):
    """The labels of some images, of which every step shows `per_step`; `evenly`: from every class as many."""

    labels: Labels
    per_step: int
    evenly: bool = False

    def often(self, kind: Kind, classes: int) -> NDArray[np.float64]:
        """How many labels of each class a step sees [C]."""
        counts = kind.counts(self.labels, classes)
        parts = np.asarray(counts > 0) if self.evenly else counts
        return np.asarray(self.per_step * parts / parts.sum(), dtype=np.float64)


def balance_of(recipe: Recipe, kind: Kind, classes: Sequence[str], shown: Sequence[Shown]) -> Balance:
    """That of a training that is shown these labels. A class without an image, of which no label speaks, counts as one
    image.

    Logit adjustment: tau · log(share of the class), Menon et al. 2021, arXiv 2007.07314, equation 10.
    """
    counts = np.sum([kind.counts(each.labels, len(classes)) for each in shown], axis=0)
    often = np.sum([each.often(kind, len(classes)) for each in shown], axis=0)
    weights = offsets = None
    if recipe.class_weights != OFF:
        weights = torch.from_numpy(kind.scaled(_weights(recipe, classes, counts), often)).float()
    if recipe.logit_adjustment:
        shares = np.where(counts > 0, often / often.sum(), 1 / counts.sum())
        offsets = torch.from_numpy(recipe.logit_adjustment * np.log(shares)).float()
    return Balance(weights, offsets)


def effective_number(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(1 − βⁿ) / (1 − β): how many images n images of a class are worth, Cui et al. 2019, arXiv 1901.05555,
    equation 2.
    """
    return np.asarray((1 - np.power(BETA, counts)) / (1 - BETA), dtype=np.float64)


def require_balance(kind: Kind, recipe: Recipe) -> None:
    """Raise InputError for options of unequal classes that have no meaning for this kind of task."""
    fields = type(recipe).model_fields
    given = [name for name in _OPTIONS if getattr(recipe, name) != fields[name].default]
    refused = [_OPTIONS[name] for name in given if name not in kind.evened_by]
    if refused:
        raise InputError(
            f"Tasks of the kind {kind.name} take no {' and no '.join(refused)}",
            found=kind.labels_are,
            allowed=", ".join(_OPTIONS[name] for name in kind.evened_by),
            next_step="leave it out",
        )


def _weights(recipe: Recipe, classes: Sequence[str], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of which only the ratios matter; the largest of a person's is brought to 1, so that no sum overflows."""
    asked = recipe.class_weights
    if asked == AUTO:
        return np.asarray(1 / effective_number(np.maximum(counts, 1)))
    assert isinstance(asked, dict), "a plan reads the file"
    given = np.array([asked[name] for name in classes], dtype=np.float64)
    return np.asarray(given / given.max())
