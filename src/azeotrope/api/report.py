"""Makes the report of stored runs again: `azeotrope.report(folder)`. It needs the records; no images, no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from azeotrope.errors import InputError
from azeotrope.record.run import RunRecord
from azeotrope.record.store import RunStore
from azeotrope.reporting.files import PAGE, read_comparisons, read_disagreements, write_page
from azeotrope.reporting.numbers import Comparison, Document
from azeotrope.reporting.summary import summarise


def report(runs: str | Path, out: str | Path | None = None) -> Path:
    """Write one self-contained HTML file from the records under `runs` (a folder, or a URL) and return its path.

    Every number comes from the records; what only `compare` knew (arms not tested, the plan, the price of pre-training,
    pictures) is taken from the files it left beside them. Without `out` the page goes to `report.html` in that folder,
    or into the working folder when the runs are at a URL.

    Raises InputError when there are no readable records, StoreError when `out` cannot be written.
    """
    comparisons = compared(runs)
    document = Document(comparisons=comparisons, disagreements=read_disagreements(runs))
    return write_page(out or (PAGE if "://" in str(runs) else Path(runs) / PAGE), document)


def compared(runs: str | Path) -> tuple[Comparison, ...]:
    """The comparisons that the stored runs make, by task, student, teacher and size; the largest size last.

    Raises InputError when there are no readable records.
    """
    store = RunStore(str(runs))
    records = list(store)
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
    groups = sorted(_side_by_side(records).items())
    return tuple(_again(group, earlier.get(key), unread) for key, group in groups)


_Key = tuple[str, str, str, int]


def _side_by_side(records: Sequence[RunRecord]) -> dict[_Key, list[RunRecord]]:
    """Runs that may be compared. Arms without a teacher stand beside the distilled ones of every teacher."""
    groups: dict[_Key, list[RunRecord]] = {}
    for task, student, images in sorted({_setting(run) for run in records}):
        same = [run for run in records if _setting(run) == (task, student, images)]
        for teacher in sorted({run.teacher.name for run in same if run.teacher}) or [""]:
            groups[task, student, teacher, images] = [
                run for run in same if run.teacher is None or run.teacher.name == teacher
            ]
    return groups


def _setting(run: RunRecord) -> tuple[str, str, int]:
    return run.task.fingerprint, run.student.name, run.train_images


def _key(comparison: Comparison) -> _Key:
    teacher = comparison.teacher.name if comparison.teacher else ""
    return comparison.fingerprint, comparison.student, teacher, comparison.train_images


def _again(records: Sequence[RunRecord], earlier: Comparison | None, warnings: Iterable[str]) -> Comparison:
    """Summarise; an earlier comparison says which runs it was about and what no record knows."""
    if earlier is None:
        return summarise(records, warnings=tuple(warnings))
    named = {run_id for arm in earlier.arms for run_id in arm.run_ids} | {run.run_id for run in earlier.failed}
    return summarise(
        [run for run in records if run.run_id in named],
        reference=earlier.reference,
        not_tested=earlier.not_tested,
        pretraining=earlier.pretraining,
        warnings=(*earlier.warnings, *warnings),
        plan=earlier.plan,
    )
