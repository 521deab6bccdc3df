"""Fits a plan's views into the room that a person gives the teacher cache (`--cache-gb`), or says what would fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.losses._contract import needs_teacher
from azeotrope.plan import ComparePlan
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.teacher.budget import affordable_views, cache_bytes


def within_budget(
    plan: ComparePlan, asked: SweepPlan, resources: Resources, tasks: Sequence[Task], say: Callable[[str], None]
) -> ComparePlan:
    """The plan with fewer views where `asked.cache_gb` gigabytes do not hold K of them, and a word about it.

    A K that the person asked for is not reduced behind their back. Raises InputError when it, or even one view, does
    not fit.
    """
    if (gigabytes := asked.cache_gb) is None:
        return plan
    wanted = max(recipe.cached_views for recipe in plan.recipes.values())
    taught = any(needs_teacher(option) for arm in plan.arms for option in arm.options)
    if plan.teacher is None or not taught or not wanted:
        return plan
    features = resources.teacher(plan.teacher).features
    train, others = _images(plan, resources, tasks)
    affordable = affordable_views(gigabytes, features, train, others)
    if affordable >= wanted:
        return plan
    needed = cache_bytes(features, train, others, wanted) / 1e9
    if asked.recipe.get("views") is not None:
        raise InputError(
            f"The teacher cache of {wanted} views does not fit into --cache-gb",
            found=f"{needed:.3g} GB for {train:,} images, {gigabytes:g} GB given",
            allowed=f"--views {affordable} or fewer",
            next_step="take fewer views, or more room",
        )
    say(f"{gigabytes:g} GB hold {affordable} of the {wanted} views ({needed:.3g} GB): --views {affordable}")
    recipes = {
        size: recipe.model_copy(update={"views": min(recipe.views, affordable)})
        for size, recipe in plan.recipes.items()
    }
    return plan.model_copy(update={"recipes": recipes})


def _images(plan: ComparePlan, resources: Resources, tasks: Sequence[Task]) -> tuple[int, int]:
    """Different images that train in any run, and different ones that only validate or test."""
    subsets = [
        resources.rows(task.fingerprint, size, seed)
        for task in tasks
        for size in plan.train_images
        for seed in plan.seeds
    ]
    train = np.unique(np.concatenate([rows.train for rows in subsets]))
    others = np.concatenate([*(rows.val for rows in subsets), *(task.splits.test for task in tasks)])
    return len(train), len(np.setdiff1d(others, train))
