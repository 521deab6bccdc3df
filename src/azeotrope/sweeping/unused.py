"""Parts of a plan that would change nothing, in sentences: a person who names a teacher expects it to teach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from azeotrope.arm import Arm

if TYPE_CHECKING:
    from azeotrope.sweeping.sweep_plan import SweepPlan


def unused(plan: SweepPlan) -> Iterator[str]:
    """Each part without effect, and what to do."""
    if plan.at is not None and plan.train_images != "auto":
        yield "at is the size that train_images auto decides at; these sizes are listed: leave one of the two out"
    if plan.cache_gb is not None and not plan.teachers:
        yield "cache_gb is room for a teacher's embeddings, and no teacher is named (--teacher): leave it out"
    if plan.arms is None:
        return
    arms = [Arm.parse(arm) for arm in plan.arms]
    if plan.teachers and not any(arm.strategy == "distill" for arm in arms):
        yield "a teacher is named and no arm learns from it: add distill, or leave the teacher out"
    if plan.upstream and not any(arm.init == "upstream" for arm in arms):
        yield "upstream is named and no arm starts from it: add finetune@upstream, or leave upstream out"
