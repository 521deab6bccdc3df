"""Train all weights on the labels and towards the teacher, from random weights or from pretrained ones.

From pretrained weights it is the baseline that peers leave out: fine-tuning with a teacher.
"""

from __future__ import annotations

from azeotrope.arm import Arm
from azeotrope.recipe import Recipe
from azeotrope.strategies._stages import HEAD_RATE, with_init
from azeotrope.train.stage import Stage


def stages(arm: Arm, recipe: Recipe, upstream: Recipe | None) -> list[Stage]:
    """The arm's losses beside cross-entropy; the head's rate as in fine-tuning when the body is pretrained."""
    head_rate = 1.0 if arm.init == "random" else HEAD_RATE
    return with_init(arm, recipe, upstream, head_rate=head_rate)
