"""Several tasks in one sweep: plan files side by side, or a plan whose `data` is a list, become one plan a task.

Every task keeps the grammar of a plan of its own; here the plans are only taken apart, named, and given their share of
a budget.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azeotrope.errors import InputError
from azeotrope.spec import read_yaml, validated
from azeotrope.sweeping.plans.sweep_plan import SweepPlan

PLAN_FILES = (".yaml", ".yml")
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Planned:
    """One task: the folder that its runs go to, its plan, and the plan (file or DATA) whose budget it shares."""

    folder: str
    plan: SweepPlan
    asked: str


def content_of(named: str) -> dict[str, Any]:
    """What a plan file holds; of anything else, a plan that asks for these images. Raises InputError for no YAML."""
    return read_yaml(Path(named)) if is_plan_file(named) else {"data": named}


def is_plan_file(named: str) -> bool:
    """Whether it is the name of a plan rather than of images."""
    return named.lower().endswith(PLAN_FILES)


def planned(contents: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Any] | None = None) -> tuple[Planned, ...]:
    """The tasks of these plans, by the name that each was asked for with; `changes` replace what all of them say.

    A list in `data` holds names of image sets, or mappings with `data` and what this task has of its own in the place
    of the plan's. Raises InputError for plans that are not valid, and for tasks that would share a folder.
    """
    tasks = tuple(task for named, content in contents.items() for task in _tasks(named, content, changes or {}))
    twice = [folder for folder, times in Counter(task.folder for task in tasks).items() if times > 1]
    if twice:
        raise InputError(
            "Each task of a sweep has a folder of its own, named after its plan and its images",
            found=f"more than one task for {', '.join(twice)}",
            next_step="rename one of the plans, or name these images once",
        )
    return tasks


def laid_over(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes in the place of what stands there; of options that go together only the parts that are named."""
    whole = dict(content)
    for key, value in changes.items():
        parts = whole.get(key)
        whole[key] = laid_over(parts, value) if isinstance(parts, dict) and isinstance(value, dict) else value
    return whole


def _tasks(named: str, content: Mapping[str, Any], changes: Mapping[str, Any]) -> Iterator[Planned]:
    stem = Path(named).stem if is_plan_file(named) else ""
    data = content.get("data")
    if not isinstance(data, list):
        plan = validated(SweepPlan, laid_over(content, changes), what=f"plan {named}")
        yield Planned(stem or _slug(plan.data), plan, named)
        return
    if not data:
        raise InputError(f"The plan {named} must name images", found="data: []", next_step="list at least one set")
    for item in data:
        own: Mapping[str, Any] = item if isinstance(item, Mapping) else {"data": item}
        plan = validated(SweepPlan, laid_over(laid_over(content, own), changes), what=f"plan {named}")
        yield Planned("-".join(part for part in (stem, _slug(plan.data)) if part), plan, named)


def _slug(data: str) -> str:
    """A folder name for an image set: its scheme and name, or the last part of a path, with nothing odd in it."""
    scheme, colon, name = data.partition(":")
    text = data if colon and "/" not in scheme and not name.startswith("//") else data.rstrip("/").rpartition("/")[2]
    return _UNNAMEABLE.sub("-", text).strip("-.") or "task"
