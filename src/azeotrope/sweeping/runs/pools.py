"""Further pictures of a run: from the plan to the pool, its rows, what the loop mixes in, and what it costs.

Pools are opened when the first run needs them and never hold a validation or test image (`data.unlabelled`); a run's
own labelled images are taken out here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from azeotrope.arm import Arm, Pictures
from azeotrope.data.unlabelled import Pool
from azeotrope.errors import InputError
from azeotrope.plan import ComparePlan
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import ExtraRun, PoolRun, RunSpec
from azeotrope.synthesis.pictures import SynthSet
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.teacher.ensemble import EnsembleCache
from azeotrope.teacher.teacher import Teacher
from azeotrope.train.dataset import Extra, Targets, TaskImages

OPTION: Mapping[Pictures, str] = {"unlabelled": "--unlabelled", "synth": "--synth"}


def check_pictures(arms: Sequence[Arm], resources: Resources) -> None:
    """Raise InputError for an arm whose pictures were not named, and for pictures that no arm uses."""
    for arm in arms:
        if arm.pictures and (resources.pictures is None or resources.pictures.place(arm.pictures) is None):
            raise InputError(
                f"The arm {arm.name} needs pictures that were not named",
                next_step=f"name a folder with {OPTION[arm.pictures]}",
            )
    for kind, option in OPTION.items():
        named = resources.pictures is not None and resources.pictures.place(kind) is not None
        if named and kind not in {arm.pictures for arm in arms}:
            raise InputError(
                f"The pictures of {option} are used by no arm",
                found=", ".join(arm.name for arm in arms),
                allowed=f"an arm such as distill+{kind}, which needs a teacher"
                + (f", or scratch+{kind}" if kind == "synth" else ""),
                next_step=f"add one to --arms, or leave {option} out",
            )


def extra_run(
    plan: ComparePlan, task: str, train_images: int, arm: Arm, seed: int, resources: Resources
) -> ExtraRun | None:
    """The further pictures of one run on `task`. Raises InputError when there are not as many as the arm asks for."""
    if arm.pictures is None:
        return None
    assert plan.pictures is not None
    seeds = sorted({seed, plan.seeds[0]})
    pools = {each: _pool_run(task, plan.tasks, train_images, arm, each, resources) for each in seeds}
    per_step = max(1, round(plan.pictures.ratio * plan.recipes[train_images].batch_images))
    return ExtraRun(
        kind=arm.pictures,
        per_step=min(per_step, *(pool.images for pool in pools.values())),
        labelled=arm.strategy != "distill" or (arm.pictures == "synth" and plan.pictures.synth_as == "labelled"),
        pools=pools,
    )


def extra_of(resources: Resources, spec: RunSpec, labelled: TaskImages) -> Extra | None:
    """What the loop mixes in; decoded, and embedded where the labelled images have targets, as far as the training
    needs.
    """
    if spec.extra is None or spec.pool is None:
        return None
    pool = pool_of(resources, spec)
    rows = pool_rows(resources, spec)
    pack = resources.pack(pool.task.fingerprint, spec.image_size)
    pictures = replace(labelled, pack=pack, plain=None, views=spec.recipe.views)
    if labelled.targets is not None:
        cache = _cache(resources, spec, pool, labelled.targets)
        pictures = replace(pictures, targets=replace(labelled.targets, cache=cache, folds=None))
        if not labelled.targets.live:
            cache.ensure(rows, range(Extra(pictures, rows, spec.extra.per_step).views_needed(_steps(spec))))
    pictures.pack.ensure(rows)
    return Extra(pictures, rows, spec.extra.per_step, spec.extra.labelled)


def _steps(spec: RunSpec) -> int:
    return spec.recipe.steps(spec.train_images)


def pool_of(resources: Resources, spec: RunSpec) -> Pool:
    """The pool of this run. Raises InputError when it is no more what the run was planned with."""
    assert spec.extra is not None
    assert spec.pool is not None
    pool = _pool(resources, spec.extra.kind, spec.task, spec.train_images, spec.seed)
    if pool.task.fingerprint != spec.pool.fingerprint:
        raise InputError(
            "The further pictures have changed since the run was planned", next_step="give the command again"
        )
    resources.add(pool.task)
    return pool


def pool_rows(resources: Resources, spec: RunSpec) -> NDArray[np.int64]:
    """The pictures of this run: the first of its seed's order that are none of its labelled images."""
    assert spec.pool is not None
    pool = pool_of(resources, spec)
    return pool.without(_own(resources, spec.task, spec.train_images, spec.seed), spec.seed)[: spec.pool.images]


def teacher_views(resources: Resources, spec: RunSpec) -> int:
    """Views of further pictures that the teacher embeds before this run; none where it looks at every step."""
    if spec.extra is None or spec.pool is None or spec.teacher is None or spec.recipe.live:
        return 0
    passes = -(-_steps(spec) // (spec.pool.images // spec.extra.per_step))
    return spec.pool.images * min(passes, spec.recipe.views)


def pool_seconds(resources: Resources, spec: RunSpec, targets: Targets | None) -> dict[str, float]:
    """What this run would have paid alone for its further pictures: decoding, the teacher if any, and their making."""
    if spec.extra is None or spec.pool is None:
        return {}
    pool = pool_of(resources, spec)
    pack = resources.pack(pool.task.fingerprint, spec.image_size)
    seconds = {"decode": spec.pool.images * pack.store.seconds_per_row()}
    if targets is not None:
        cache = _cache(resources, spec, pool, targets)
        seconds["teacher"] = teacher_views(resources, spec) * cache.store.seconds_per_row()
    if spec.extra.kind == "synth":
        made = _synth_set(resources, spec.task, spec.train_images, spec.seed)
        seconds["generate"] = made.seconds_for(spec.pool.images)
    return seconds


def _pool_run(task: str, folds: Sequence[str], train_images: int, arm: Arm, seed: int, resources: Resources) -> PoolRun:
    """The pictures of one seed; of all `folds` as many, so that these differ in nothing but their images."""
    assert arm.pictures is not None
    pool = _pool(resources, arm.pictures, task, train_images, seed)
    available = min(_available(resources, arm.pictures, fold, train_images, seed) for fold in folds)
    images = available if arm.multiple is None else round(arm.multiple * train_images)
    if not 1 <= images <= available:
        raise InputError(
            f"There are not enough pictures for the arm {arm.name}",
            found=f"{available:,} that may be used (seed {seed}); {images:,} are {arm.multiple or 0:g} times "
            f"{train_images:,}",
            next_step="ask for fewer, as in distill+synth=1x, or make more: azeotrope synth with a larger --multiple"
            if arm.pictures == "synth"
            else "ask for fewer, as in distill+unlabelled=1x, or add pictures",
        )
    return PoolRun(fingerprint=pool.task.fingerprint, images=images)


def _available(resources: Resources, kind: Pictures, task: str, train_images: int, seed: int) -> int:
    """Pictures that are none of the run's labelled images."""
    own = _own(resources, task, train_images, seed)
    return len(_pool(resources, kind, task, train_images, seed).without(own, seed))


def _pool(resources: Resources, kind: Pictures, task: str, train_images: int, seed: int) -> Pool:
    if kind == "synth":
        return _synth_set(resources, task, train_images, seed).pool
    pool: Pool = resources.unlabelled(task)
    return pool


def _synth_set(resources: Resources, task: str, train_images: int, seed: int) -> SynthSet:
    made: SynthSet = resources.synth_set(task, train_images, seed)
    return made


def _own(resources: Resources, task: str, train_images: int, seed: int) -> list[str]:
    """Checksums of the run's labelled images."""
    rows, checksums = resources.rows(task, train_images, seed), resources.tasks[task].manifest.checksums
    return [checksums[row] for row in np.concatenate([rows.train, rows.val])]


def _cache(resources: Resources, spec: RunSpec, pool: Pool, targets: Targets) -> EmbeddingCache | EnsembleCache:
    """The teacher's embeddings of the pool, from one teacher (of a tuned one, the version that was tuned on all of the
    run's images) or from each of several.
    """
    policy, views, fingerprint = spec.recipe.policy, spec.recipe.views, pool.task.fingerprint

    def opened(teacher: Teacher) -> EmbeddingCache:
        return resources.opened(teacher, fingerprint, policy, views)

    if isinstance(targets.cache, EnsembleCache):
        return replace(targets.cache, members=tuple(opened(member.teacher) for member in targets.cache.members))
    return opened(targets.cache.teacher)
