"""Keep pretrained weights as they are and train a linear head on the labels."""

from __future__ import annotations

from azeotrope.arm import Arm
from azeotrope.recipe import Recipe
from azeotrope.strategies._stages import HEAD_RATE, with_init
from azeotrope.train.stage import Stage


def stages(arm: Arm, recipe: Recipe, upstream: Recipe | None) -> list[Stage]:
    """The body frozen and in eval mode; the head learns as fast as in fine-tuning."""
    return with_init(arm, recipe, upstream, trains="head", head_rate=HEAD_RATE)
