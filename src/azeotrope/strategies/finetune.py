"""Train all of the pretrained weights on the labels, the head faster than the body."""

from __future__ import annotations

from azeotrope.arm import Arm
from azeotrope.recipe import Recipe
from azeotrope.strategies._stages import HEAD_RATE, with_init
from azeotrope.train.stage import Stage


def stages(arm: Arm, recipe: Recipe, upstream: Recipe | None) -> list[Stage]:
    """Pretrained init, all weights, cross-entropy."""
    return with_init(arm, recipe, upstream, head_rate=HEAD_RATE)
