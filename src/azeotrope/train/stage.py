"""A training leg as data: what to start from, what to train, on which images, towards which losses.

Strategies return stages; the one loop (`loop`) runs any of them. A difference between strategies that is not
expressible here would be a difference between loops, and the comparison would be unfair.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from azeotrope.losses._contract import needs_teacher
from azeotrope.recipe import Recipe
from azeotrope.spec import Spec
from azeotrope.terms import Weight


class Stage(Spec):
    """One frozen description of a training leg."""

    data: Literal["task", "upstream"] = Field(description="whose images and labels")
    init: Literal["random", "hub", "previous"] = Field(description="`previous`: the body that the stage before left")
    trains: Literal["all", "head"] = "all"
    losses: dict[str, Weight] = Field(default_factory=lambda: dict[str, Weight](cross_entropy=1.0))
    head_rate: float = Field(default=1.0, gt=0, description="the head's learning rate over the body's")
    keeps_statistics: bool = Field(default=False, description="BatchNorm normalises by the statistics it came with")
    chosen_by: Literal["error", "cross_entropy"] = Field(default="error", description="the score that keeps an epoch")
    recipe: Recipe

    @property
    def needs_teacher(self) -> bool:
        """Whether any loss compares with the teacher."""
        return needs_teacher(self.losses)
