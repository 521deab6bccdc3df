"""The plan of a comparison: one student, one teacher or none, and what they are compared in, as `sweep` takes it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azeotrope.arm import Arm
from azeotrope.errors import InputError
from azeotrope.exporting.target import parsed
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import RecipeChanges
from azeotrope.spec import validated
from azeotrope.sweeping.plans.sweep_plan import ANY_BATCH, SweepPlan, with_losses
from azeotrope.terms import split


def comparison_plan(
    data: str | Path,
    *,
    student: str,
    teacher: str | TeacherSpec | None,
    train_images: int | Sequence[int] | None,
    arms: str | Sequence[str] | None,
    seeds: int | Sequence[int],
    losses: str | Sequence[str] | None = None,
    deploy: str | Sequence[str] = (),
    **asked: Any,
) -> SweepPlan:
    """What a person asked as a plan; `asked` holds the fields of `SweepPlan` that are in `Options`.

    What is wrong in arms, losses, recipe, seeds or export targets is told by itself, as InputError, since there is no
    plan file in which to look for it.
    """
    arms, losses = _listed(arms), _listed(losses)
    for arm in arms or ():
        Arm.parse(arm)
    if arms is not None and losses is not None:
        arms, losses = with_losses(arms, losses), None
    if arms is not None and not 0 < len(arms) == len(set(arms)):
        raise InputError("A comparison needs arms, each once", found=", ".join(arms) or "none", next_step="see --arms")
    recipe = dict(asked.pop("recipe", None) or {})
    RecipeChanges.checked({"batch_images": ANY_BATCH, **recipe})
    chosen = range(seeds) if isinstance(seeds, int) else seeds
    if not chosen:
        raise InputError("At least one seed is needed", found=str(seeds), next_step="take 3 or more for a verdict")
    upstream = asked.pop("upstream", None)
    content = {
        "data": os.fspath(data),
        "students": [student],
        "teachers": [teacher] if teacher else [],
        "train_images": "all" if train_images is None else train_images,
        "arms": arms,
        "losses": losses,
        "seeds": list(chosen),
        "deploy": parsed(deploy) if deploy else (),
        "recipe": recipe,
        "upstream": upstream and upstream.data,
        "pretrain_images": [upstream.pretrain_images] if upstream else [],
    }
    return validated(SweepPlan, content | asked, what="comparison")


def _listed(given: str | Sequence[str] | None) -> list[str] | None:
    """One text of several, by commas, or a list of them."""
    if isinstance(given, str):
        return [part.strip() for part in split(given, ",") if part.strip()]
    return None if given is None else list(given)
