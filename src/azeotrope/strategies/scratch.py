"""Train all weights from random on the labels: what every other strategy must beat."""

from __future__ import annotations

from azeotrope.arm import Arm
from azeotrope.recipe import Recipe
from azeotrope.strategies._stages import with_init
from azeotrope.train.stage import Stage


def stages(arm: Arm, recipe: Recipe, upstream: Recipe | None) -> list[Stage]:
    """One stage: random init, all weights, cross-entropy."""
    return with_init(arm, recipe, upstream)
