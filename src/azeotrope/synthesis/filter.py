"""The teacher judges the pictures: of the intended class, not seen before, and if asked, unlike each other.

Numbers in, reasons out; embeddings are the teacher's pooled ones, standardised as the run's own images are, since raw
ones all point the same way. A picture is judged against validation and test images only to keep it away from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from azeotrope.errors import RunFailed
from azeotrope.synthesis.spec import FilterSpec
from azeotrope.teacher.heads.head import Head

KEPT = ""
OTHER_CLASS = "not seen as its class"
LIKE_HELD_OUT = "near duplicate of a validation or test image"
LIKE_TRAINING = "near duplicate of a training image"
LIKE_ANOTHER = "near duplicate of another picture"
NOT_DIVERSE = "enough like it were kept"
MIN_KEPT = 0.05  # share of the pictures; below it the generator does not know this task
_OTHER_WAYS = {  # by whether the generator was trained here
    True: "more --training-steps, more images with --train-images, or another generator with --generator",
    False: "other --template or --descriptions, another --generator, or --train",
}
_BLOCK = 1024  # pictures compared at a time


@dataclass(frozen=True)
class Reference:
    """The run's own images and those held out, as the teacher embeds them [n, F]."""

    train: Float[Tensor, "N F"]
    held_out: Float[Tensor, "H F"]

    def standardised(self, features: Float[Tensor, "n F"]) -> Float[Tensor, "n F"]:
        """By the training images' mean and deviation, of length 1: a product is a cosine."""
        mean, deviation = self.train.mean(0), self.train.std(0).clamp_min(1e-6)
        return functional.normalize((features - mean) / deviation, dim=1)


@dataclass(frozen=True)
class Judgement:
    """Per picture: the teacher's probability of the intended class, the class it sees, and why it is refused.

    `reasons` hold "" for what is kept.
    """

    agreement: NDArray[np.float64]
    seen_as: NDArray[np.int64]
    reasons: tuple[str, ...]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which pictures stay."""
        return np.array([not reason for reason in self.reasons], dtype=np.bool_)

    def counts(self) -> dict[str, int]:
        """How many were refused, by reason, most first."""
        refused = [reason for reason in self.reasons if reason]
        return {reason: refused.count(reason) for reason in sorted(set(refused), key=refused.count, reverse=True)}


def judge(
    features: Float[Tensor, "n F"],
    labels: Int[Tensor, " n"],
    head: Head,
    reference: Reference,
    spec: FilterSpec,
    known: dict[int, str] | None = None,
) -> Judgement:
    """Judge pictures in order; of two that are alike the first stays. `known`: reasons found before, by place."""
    logits = head.logits(features)
    agreement = logits.softmax(1).gather(1, labels[:, None])[:, 0].double().numpy()
    reasons: dict[int, str] = dict(known or {})
    for place in np.flatnonzero(agreement < spec.agreement).tolist():
        reasons.setdefault(place, OTHER_CLASS)
    standard = reference.standardised(features)
    for others, reason in ((reference.held_out, LIKE_HELD_OUT), (reference.train, LIKE_TRAINING)):
        near = _nearest(standard, reference.standardised(others)) >= spec.alike
        for place in near.nonzero()[:, 0].tolist():
            reasons.setdefault(place, reason)
    _refuse_copies(standard, reasons, spec.alike)
    if spec.diverse is not None:
        _refuse_crowded(standard, labels, reasons, spec.diverse)
    said = tuple(reasons.get(place, KEPT) for place in range(len(labels)))
    return Judgement(agreement, logits.argmax(1).numpy(), said)


def check_worth(judgement: Judgement, labels: NDArray[np.int64], where: str, *, trained_here: bool) -> None:
    """Raise RunFailed when the teacher sees the intended class no more often than chance would, or keeps next to
    nothing. `where` shows the pictures; the next step is what the generator takes, one `trained_here` or a named one.
    """
    kept, agreed = float(judgement.kept.mean()), float((judgement.seen_as == labels).mean())
    needed = _needed_agreement(labels)
    if kept >= MIN_KEPT and agreed >= needed:
        return
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in judgement.counts().items())
    at_least = f"at least {100 * MIN_KEPT:.0f} % kept, and the intended class in {100 * needed:.1f} %"
    share, seen = f"{100 * kept:.1f} % of {len(labels):,} kept", f"{100 * agreed:.1f} %"
    raise RunFailed(
        "The teacher refuses these pictures: they do not show what they should",
        found=f"{share} ({reasons}); the intended class seen in {seen}",
        allowed=f"{at_least} (chance and three standard errors)",
        next_step=f"look at {where}; try {_OTHER_WAYS[trained_here]}",
    )


def _needed_agreement(labels: NDArray[np.int64]) -> float:
    """The share of the commonest intended class, which one who always names it reaches, and three standard errors."""
    chance = float(np.bincount(labels).max()) / len(labels)
    return min(1.0, chance + 3 * math.sqrt(chance * (1 - chance) / len(labels)))


def _nearest(features: Float[Tensor, "n F"], others: Float[Tensor, "m F"]) -> Float[Tensor, " n"]:
    """The highest cosine of each picture to any of the others."""
    if not len(others):
        return torch.full((len(features),), -1.0)
    blocks = [(block @ others.T).max(1).values for block in torch.split(features, _BLOCK)]
    return torch.cat(blocks) if blocks else torch.empty(0)


def _refuse_copies(standard: Float[Tensor, "n F"], reasons: dict[int, str], alike: float) -> None:
    """Of pictures alike, all but the first that is not refused for something else."""
    open_places = [place for place in range(len(standard)) if place not in reasons]
    kept: list[int] = []
    for place in open_places:
        if kept and float((standard[kept] @ standard[place]).max()) >= alike:
            reasons[place] = LIKE_ANOTHER
        else:
            kept.append(place)


def _refuse_crowded(
    standard: Float[Tensor, "n F"], labels: Int[Tensor, " n"], reasons: dict[int, str], most: int
) -> None:
    """Keep at most `most` pictures a class, each the farthest from those taken before it (Gonzalez 1985)."""
    for label in sorted(set(labels.tolist())):
        places = [place for place in (labels == label).nonzero()[:, 0].tolist() if place not in reasons]
        taken = farthest_first(standard[places], most)
        for number, place in enumerate(places):
            if number not in taken:
                reasons[place] = NOT_DIVERSE


def farthest_first(points: Float[Tensor, "n F"], most: int) -> set[int]:
    """Places of up to `most` unit vectors: the first, then always the one whose nearest taken one is farthest."""
    if not len(points):
        return set()
    taken, nearest = [0], points @ points[0]
    while len(taken) < min(most, len(points)):
        taken.append(int(nearest.index_fill(0, torch.tensor(taken), 2.0).argmin()))
        nearest = torch.maximum(nearest, points @ points[taken[-1]])
    return set(taken)
