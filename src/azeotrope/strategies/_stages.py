"""What the strategies have in common: the last stage's start, and the pre-training stage that `upstream` puts before
it.
"""

from __future__ import annotations

from typing import Any

from azeotrope.arm import Arm
from azeotrope.recipe import Recipe
from azeotrope.train.stage import Stage

HEAD_RATE = 10.0  # a fresh head on a pretrained body learns at ten times the body's rate (METHOD section 1)


def with_init(arm: Arm, recipe: Recipe, upstream: Recipe | None, **last: Any) -> list[Stage]:
    """The stage that trains on the task, preceded by pre-training where the arm starts from `upstream`."""
    if arm.init != "upstream":
        return [Stage(data="task", init=arm.init, recipe=recipe, **last)]
    assert upstream is not None, "an upstream arm is planned only with an upstream recipe"
    return [
        Stage(data="upstream", init="random", recipe=upstream),
        Stage(data="task", init="previous", recipe=recipe, **last),
    ]
