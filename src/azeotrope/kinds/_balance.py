"""Classes of unequal size in the loss on labels: weights of the classes, and logit adjustment.

Both follow from the labels of a run's own training images. They change what is learnt from labels and nothing of what
is said: predictions, validation and test are without them. Balanced sampling, which changes what is shown, is in
`data.sampling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def balance_of(recipe: Recipe, kind: Kind, classes: Sequence[str], labels: Labels) -> Balance:
    """That of a training on images with these labels. A class without an image, of which no label speaks, counts as
    one image.

    Logit adjustment: tau · log(share of the class), Menon et al. 2021, arXiv 2007.07314, equation 10.
    """
    counts = kind.counts(labels, len(classes))
    weights = offsets = None
    if recipe.class_weights != OFF:
        weights = torch.from_numpy(_weights(recipe, kind, classes, counts)).float()
    if recipe.logit_adjustment:
        shares = np.maximum(counts, 1) / counts.sum()
        offsets = torch.from_numpy(recipe.logit_adjustment * np.log(shares)).float()
    return Balance(weights, offsets)


def effective_number(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(1 − βⁿ) / (1 − β): how many images n images of a class are worth, Cui et al. 2019, arXiv 1901.05555,
    equation 2.
    """
    return np.asarray((1 - np.power(BETA, counts)) / (1 - BETA), dtype=np.float64)


def require_balance(kind: Kind, recipe: Recipe) -> None:
    """Raise InputError for options of unequal classes that have no meaning for this kind of task."""
    asked = {
        "--class-weights": recipe.class_weights != OFF,
        "--sampling balanced": recipe.sampling == "balanced",
        "--logit-adjustment": recipe.logit_adjustment > 0,
    }
    allowed = {"single": tuple(asked), "multi": ("--class-weights",)}.get(kind.name, ())
    refused = [option for option, given in asked.items() if given and option not in allowed]
    if refused:
        raise InputError(
            f"Tasks of the kind {kind.name} take no {' and no '.join(refused)}",
            found="labels that are numbers" if kind.name == "number" else "images of several classes at once",
            allowed=", ".join(allowed),
            next_step="leave it out",
        )


def _weights(recipe: Recipe, kind: Kind, classes: Sequence[str], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Their mean over the images that are shown is 1, so that the learning rates mean what they mean without them; of
    several labels an image, which all count in each, their mean over the classes.
    """
    asked = recipe.class_weights
    if asked == AUTO:
        raw = 1 / effective_number(np.maximum(counts, 1))
    else:
        assert isinstance(asked, dict), "a plan reads the file"
        raw = np.array([asked[name] for name in classes])
    if kind.name == "multi":
        return np.asarray(raw / raw.mean())
    shown = (counts > 0).astype(float) if recipe.sampling == "balanced" else counts
    return np.asarray(raw * shown.sum() / (raw * shown).sum())
