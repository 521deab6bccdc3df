"""What the strategies have in common: the last stage's start, and the pre-training stage that `upstream` puts before
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azeotrope.arm import Arm
from azeotrope.recipe import Recipe
from azeotrope.terms import CROSS_ENTROPY, Weight, name_of
from azeotrope.train.stage import Stage

HEAD_RATE = 10.0  # a fresh head on a pretrained body learns at ten times the body's rate


def with_labels(losses: Mapping[str, Weight]) -> dict[str, Weight]:
    """Cross-entropy with weight 1 first, unless the arm names it; what has weight 0 is not computed."""
    said = {key for key in losses if name_of(key) == CROSS_ENTROPY}
    first: dict[str, Weight] = {key: losses[key] for key in said} or {CROSS_ENTROPY: 1.0}
    return {key: weight for key, weight in {**first, **losses}.items() if weight != 0}


def with_init(arm: Arm, recipe: Recipe, upstream: Recipe | None, **last: Any) -> list[Stage]:
    """The stage that trains on the task, preceded by pre-training where the arm starts from `upstream`."""
    last["losses"] = with_labels(arm.losses)
    if arm.init != "upstream":
        return [Stage(data="task", init=arm.init, recipe=recipe, **last)]
    assert upstream is not None, "an upstream arm is planned only with an upstream recipe"
    return [
        Stage(data="upstream", init="random", recipe=upstream),
        Stage(data="task", init="previous", recipe=recipe, **last),
    ]
