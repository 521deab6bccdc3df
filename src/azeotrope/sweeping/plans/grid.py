"""From a sweep plan to its runs: every default filled in, everything checked that can be checked before training.

A sweep is a set of comparisons (one a teacher, student and number of upstream images), so its runs are those that
`compare` would make, with the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from azeotrope.arm import Arm
from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.plan import ComparePlan, TeacherSpec, UpstreamSpec
from azeotrope.sweeping.plans.cache_budget import within_budget
from azeotrope.sweeping.plans.class_weights import read_class_weights
from azeotrope.sweeping.plans.plan import Setting, default_arms, make_plan, run_specs
from azeotrope.sweeping.plans.sweep_plan import SweepPlan, with_losses
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import RunSpec

AUTO_SIZES = 7  # seven log-spaced sizes extrapolate best
AUTO_RATIO = 2.0
AUTO_IMAGES_PER_CLASS = 2  # in the smallest; with fewer no teacher's head can be fitted
AUTO_SEEDS = 5  # those that `auto` may choose from, where the plan names fewer


@dataclass(frozen=True)
class Grid:
    """A resolved plan and its runs, in the order in which to make them, each once.

    `left_out` holds by student the arms that cannot be tested here, with the reason. `at` is the number of images that
    the reader asks about.
    """

    plan: SweepPlan
    specs: tuple[RunSpec, ...]
    left_out: dict[str, dict[str, str]]
    at: int

    @property
    def not_tested(self) -> dict[str, str]:
        """The same by `student: arm`."""
        return {f"{student}: {arm}": reason for student, arms in self.left_out.items() for arm, reason in arms.items()}


def open_grid(
    plan: SweepPlan,
    resources: Resources,
    tasks: Sequence[Task],
    upstream: Task | None,
    say: Callable[[str], None] = lambda words: None,
) -> Grid:
    """Resolve and check the plan. Raises InputError for anything that can be seen to be wrong before training.

    `tasks` are the folds, or the one task without them. `say` is told where fewer views were taken than the recipe's
    rule.
    """
    students = plan.students or (plan.ladder.students() if plan.ladder else ())
    task, folds = tasks[0], tasks if plan.folds else ()
    plan = _with_weights(plan, task)
    filled = plan.model_copy(update={"train_images": _sizes(plan, tasks), "seeds": _seeds(plan)})
    left_out: dict[str, dict[str, str]] = {}
    parts = []
    for student in students:
        arms, left_out[student] = _arms(plan, student)
        for teacher, source in _settings(plan):
            part = make_plan(filled, Setting(student, tuple(arms), teacher, source), task, resources, upstream, folds)
            parts.append(within_budget(part, plan, resources, tasks, say))
    resolved = plan.model_copy(
        update={
            "fingerprint": task.set_fingerprint,
            "resolved": tuple(parts),
            "seeds": filled.seeds,
            "precision": resources.device.precision,
        }
    )
    _check_repeated(plan, resolved)
    specs = {spec.digest(): spec for spec in _runs(parts, resources, upstream)}
    grid = Grid(resolved, tuple(specs.values()), left_out, plan.at or parts[0].train_images[-1])
    if plan.train_images == "auto":
        _check_choice(grid)
    return grid


def with_seeds(grid: Grid, seeds: tuple[int, ...], resources: Resources, upstream: Task | None) -> Grid:
    """The same grid with other seeds, of which the first stays: it chooses the learning rates."""
    parts = [part.model_copy(update={"seeds": seeds}) for part in grid.plan.resolved]
    specs = {spec.digest(): spec for spec in _runs(parts, resources, upstream)}
    plan = grid.plan.model_copy(update={"seeds": seeds, "resolved": tuple(parts)})
    return replace(grid, plan=plan, specs=tuple(specs.values()))


def auto_sizes(largest: int, classes: int) -> tuple[int, ...]:
    """Up to seven sizes that double up to `largest`, rounded to two figures, for `auto` to choose among; closer
    together where the smallest would not hold every class.
    """
    least = max(largest / AUTO_RATIO ** (AUTO_SIZES - 1), AUTO_IMAGES_PER_CLASS * classes)
    sizes = np.geomspace(min(least, largest), largest, AUTO_SIZES)
    return (*sorted({int(float(f"{size:.2g}")) for size in sizes[:-1]} - {largest}), largest)


def _check_choice(grid: Grid) -> None:
    """`auto` decides between arms; of a student with one there is nothing to decide."""
    arms: dict[str, set[tuple[str, int]]] = {}
    for spec in grid.specs:
        images = spec.upstream.pretrain_images if spec.upstream else 0
        arms.setdefault(spec.student, set()).add((spec.arm.name, images))
    alone = {student: next(iter(found))[0] for student, found in arms.items() if len(found) == 1}
    if alone:
        student, arm = next(iter(alone.items()))
        missing = "".join(f"; {name}: {reason}" for name, reason in grid.not_tested.items())
        raise InputError(
            "auto decides between arms, and needs two for every student",
            found=f"{arm} alone for {student}{missing}",
            next_step="name a teacher with --teacher or more --arms, or list the sizes with --train-images",
        )


def _sizes(plan: SweepPlan, tasks: Sequence[Task]) -> tuple[int, ...]:
    available = min(len(task.splits.train) for task in tasks)
    if plan.train_images == "auto":
        return auto_sizes(min(plan.at or available, available), len(tasks[0].classes))
    return (available,) if plan.train_images == "all" else tuple(sorted(plan.train_images))


def _with_weights(plan: SweepPlan, task: Task) -> SweepPlan:
    """The plan with the class weights of a file in the place of its name: what is repeated is what was read."""
    if "class_weights" not in plan.recipe:
        return plan
    read: Any = read_class_weights(plan.recipe["class_weights"], task.classes)  # type: ignore[arg-type]
    return plan.model_copy(update={"recipe": {**plan.recipe, "class_weights": read}})


def _seeds(plan: SweepPlan) -> tuple[int, ...]:
    """Those of the plan; `auto` may add some, and makes only those that it needs."""
    more = AUTO_SEEDS - len(plan.seeds) if plan.train_images == "auto" else 0
    return (*plan.seeds, *range(max(plan.seeds) + 1, max(plan.seeds) + 1 + more))


def _settings(plan: SweepPlan) -> Iterator[tuple[TeacherSpec | None, UpstreamSpec | None]]:
    """Every teacher with every number of upstream images."""
    for teacher in plan.teachers or (None,):
        for images in plan.pretrain_images or (None,):
            source = UpstreamSpec(data=plan.upstream, pretrain_images=images) if plan.upstream and images else None
            yield teacher, source


def _arms(plan: SweepPlan, student: str) -> tuple[list[Arm], dict[str, str]]:
    """Those of the plan, or all that are possible for this student here, and those left out with the reason."""
    if plan.arms is not None:
        return [Arm.parse(arm) for arm in plan.arms], {}
    source = UpstreamSpec(data=plan.upstream, pretrain_images=max(plan.pretrain_images)) if plan.upstream else None
    arms, left_out = default_arms(student, source, plan.pictures)
    if plan.losses:
        arms = [Arm.parse(arm) for arm in with_losses([arm.name for arm in arms], plan.losses)]
    if not plan.teachers:
        left_out |= {arm.name: "no teacher was named" for arm in arms if arm.strategy == "distill"}
        arms = [arm for arm in arms if arm.strategy != "distill"]
    return arms, left_out


def _runs(parts: list[ComparePlan], resources: Resources, upstream: Task | None) -> Iterator[RunSpec]:
    """Cheap sizes first; within a size one student after the other, a seed at a time, so that what is done is paired.

    Runs that several comparisons share, such as scratch under two teachers, come more than once.
    """
    for size in parts[0].train_images:
        for part in parts:
            yield from run_specs(part, size, resources, upstream)


def _check_repeated(asked: SweepPlan, resolved: SweepPlan) -> None:
    """A plan that was resolved before must come out the same, or it would not be repeated."""
    if asked.fingerprint not in (None, resolved.fingerprint) or asked.resolved not in ((), resolved.resolved):
        what = "fingerprint" if asked.fingerprint != resolved.fingerprint else "resolved"
        raise InputError(
            "The plan was resolved before and now comes out otherwise",
            found=f"another {what}: the images, the plan or the program's defaults have changed",
            allowed="the same plan on the same images",
            next_step="to have it resolved anew, delete `fingerprint` and `resolved` from the plan",
        )
