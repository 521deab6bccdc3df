"""The comparisons that stored runs make: which runs stand side by side, and what only `compare` knew of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from azeotrope.analysis.diagnosed import diagnosed
from azeotrope.errors import InputError
from azeotrope.record.facts import EnvironmentFacts
from azeotrope.record.kinds import named_measure
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.tasks import read_tasks
from azeotrope.record.teachers import told_apart
from azeotrope.reporting.numbers import Comparison
from azeotrope.reporting.page.files import read_comparisons
from azeotrope.reporting.page_verdicts import Shared, shared_by
from azeotrope.reporting.summary import summarise
from azeotrope.reporting.words import plural
from azeotrope.tables.grouping import contender


def compared(runs: str | Path) -> tuple[Comparison, ...]:
    """The comparisons that the stored runs make, by task, student and size; the largest size last.

    Runs of another teacher, recipe, image size or precision make comparisons of their own, and so do those that were
    judged on pictures resized otherwise; of those of one size, the one that `compare.json` is about comes last, and
    with its diagnosis.

    Raises InputError when there are no readable records.
    """
    store = RunStore(str(runs))
    records = told_apart(store)
    if not records:
        raise InputError(
            "A report is made from records",
            found=f"none that can be read in {store.root}/runs"
            + "".join(f"; {problem.path}: {problem.reason}" for problem in store.problems[:3]),
            allowed="a folder that `azeotrope compare` or `azeotrope sweep` wrote",
            next_step="give the folder that was named with --out",
        )
    unread = [f"A record was left out: {problem.path}: {problem.reason}" for problem in store.problems]
    earlier = {_key(item): item for item in read_comparisons(runs)}
    groups = _side_by_side(records)
    order = sorted(groups, key=lambda key: (key.task, key.student, key.train_images, key in earlier, key))
    used = {key: _used(runs, earlier.get(key)) for key, runs in groups.items()}
    shared = {family: shared_by(sizes) for family, sizes in _families(used).items()}
    found = [_again(groups[key], earlier.get(key), unread, shared[key.without_size]) for key in order]
    return (*found[:-1], diagnosed(runs, found[-1]))


def _used(records: Sequence[RunRecord], earlier: Comparison | None) -> list[RunRecord]:
    """The runs that an earlier comparison was about; all of them without one."""
    if earlier is None:
        return list(records)
    names = {run_id for arm in earlier.arms for run_id in arm.run_ids} | {run.run_id for run in earlier.failed}
    return [run for run in records if run.run_id in names or (run.fold and run.fold.over_folds in names)]


def _families(groups: Mapping[_Key, Sequence[RunRecord]]) -> dict[_Key, list[Sequence[RunRecord]]]:
    """The sizes of one student and teacher, whose recipes may follow the size."""
    found: dict[_Key, list[Sequence[RunRecord]]] = {}
    for key, runs in groups.items():
        found.setdefault(key.without_size, []).append(runs)
    return found


def task_folders(runs: str | Path) -> list[str]:
    """The stores below a folder that a sweep over several tasks wrote, those that hold records; else the folder itself.

    Raises InputError when none of several tasks has a record.
    """
    tasks = read_tasks(RunStore(str(runs)))
    if not tasks:
        return [str(runs)]
    every = [f"{str(runs).rstrip('/')}/{task.folder}" for task in tasks]
    if found := [folder for folder in every if RunStore(folder).names("runs")]:
        return found
    raise InputError(
        "A report is made from records",
        found=f"none for any task of {runs}: {', '.join(task.folder for task in tasks)}",
        next_step="give the sweep's command again: it goes on where it stopped",
    )


class _Key(NamedTuple):
    """What runs side by side share. What is not known or not there is 0 or ""."""

    task: str
    student: str
    teacher: str
    train_images: int
    image_size: int
    precision: str
    recipe: str
    judged_by: str
    resize: str

    @property
    def without_size(self) -> _Key:
        """What several sizes of one page share."""
        return self._replace(train_images=0, recipe="")


def _side_by_side(records: Sequence[RunRecord]) -> dict[_Key, list[RunRecord]]:
    """Runs that may be compared. Arms without a teacher stand beside the distilled ones of every teacher."""
    settings: dict[_Key, list[RunRecord]] = {}
    for run in records:
        settings.setdefault(_setting(run), []).append(run)
    return {
        setting._replace(teacher=teacher): [run for run in same if run.teacher is None or run.teacher.called == teacher]
        for setting, same in ((setting, _named(runs)) for setting, runs in settings.items())
        for teacher in {run.teacher.called for run in same if run.teacher} or {""}
    }


def _named(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """An arm that was pre-trained here on several numbers of images is an arm for each; one whose pre-training an
    earlier version judged is another beside this version's.
    """
    numbers: dict[str, set[int]] = {}
    for run in runs:
        numbers.setdefault(run.arm, set()).add(run.pretrain_images)
    once = {run.arm for run in runs if run.upstream_resize}

    def name(run: RunRecord) -> str:
        named = contender(run.arm, run.pretrain_images) if len(numbers[run.arm]) > 1 else run.arm
        return named if run.upstream_resize or run.arm not in once else f"{named}, of an earlier version"

    return [run.model_copy(update={"arm": name(run)}) for run in runs]


def _setting(run: RunRecord) -> _Key:
    """The run's key, but for the teacher."""
    conditions = _conditions(run.student.image_size, run.environment, run.recipe)
    return _Key(run.task.fingerprint, run.student.name, "", run.train_images, *conditions, run.resize or "")


def _key(comparison: Comparison) -> _Key:
    teacher = comparison.teacher.name if comparison.teacher else ""
    conditions = _conditions(comparison.image_size, comparison.environment, comparison.recipe)
    resize = comparison.resize or ""
    return _Key(comparison.fingerprint, comparison.student, teacher, comparison.train_images, *conditions, resize)


def _conditions(
    image_size: int | None, environment: EnvironmentFacts | None, recipe: Mapping[str, JsonValue]
) -> tuple[int, str, str, str]:
    precision = environment.precision if environment else ""
    return image_size or 0, precision, json.dumps(recipe, sort_keys=True), named_measure(recipe)


def _again(
    records: Sequence[RunRecord], earlier: Comparison | None, warnings: Iterable[str], shared: Shared
) -> Comparison:
    """Summarise; an earlier comparison says which runs it was about and what no record knows."""
    if earlier is None:
        return summarise(records, warnings=tuple(warnings), shared=shared)
    named = _used(records, earlier)
    return summarise(
        named,
        reference=earlier.reference,
        not_tested=earlier.not_tested,
        pretraining=earlier.pretraining,
        pretraining_missing=None if earlier.pretraining else earlier.faster_missing,
        warnings=(*earlier.warnings, *warnings, *_left_out(len(records) - len(named))),
        plan=earlier.plan,
        shared=shared,
        looks=earlier.looks,
    )


def _left_out(runs: int) -> Iterable[str]:
    """A warning about runs that would fit in and that nobody asked for."""
    if runs:
        yield f"{plural(runs, 'stored run')} {'is' if runs == 1 else 'are'} not part of this comparison."
