"""Makes the runs of a comparison, size by size, and leaves records, report and the winner's model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from azeotrope.analysis.diagnosed import diagnosed
from azeotrope.data.task import Task
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.claim import claimed
from azeotrope.record.storage.training_curve import Curve
from azeotrope.reporting.document import Disagreement, Document, Mistake
from azeotrope.reporting.numbers import Comparison, NotTested, PretrainingCost
from azeotrope.reporting.page import files
from azeotrope.reporting.page.part import Made, Missing, attempt
from azeotrope.reporting.page_verdicts import Shared, shared_by
from azeotrope.reporting.summary import summarise
from azeotrope.reporting.words import plural
from azeotrope.session.comparisons.making import made, made_of
from azeotrope.session.comparisons.pretraining_cost import pretraining_cost
from azeotrope.session.comparisons.saving import save_winner
from azeotrope.session.findings.about_folds import about_folds
from azeotrope.session.findings.cautions import before_training, cautions
from azeotrope.session.findings.disagreements import disagreements
from azeotrope.session.findings.pictures import mistakes
from azeotrope.session.opening import Opened
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress
from azeotrope.session.tracking import Asked
from azeotrope.sweeping.plans.grid import with_seeds
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.verdicts.stopping import next_look


def compare_sizes(
    plan: SweepPlan,
    out: Path,
    progress: Progress,
    machine: Machine,
    *,
    until_decided: bool = False,
    track: Asked = (),
) -> tuple[Comparison, ...]:
    """`compare` at every size of the plan of a comparison; one report for all.

    `until_decided` goes on with the seeds of `stopping.LOOKS` until every verdict is decided; the plan's are then those
    of the first look.
    """
    with claimed(out):
        opened, records = made(plan, out, progress, machine, track, said_before=about_folds)
        looks: tuple[int, ...] = (len(plan.seeds),) if until_decided else ()
        comparisons = _summaries(opened, records, looks, out)
        while until_decided and (seeds := next_look(_undecided(comparisons), looks[-1])):
            progress.note(f"{plural(_undecided(comparisons), 'verdict')} open after {looks[-1]} seeds: on to {seeds}")
            grid = with_seeds(opened.grid, tuple(range(seeds)), opened.resources, opened.upstream)
            opened = opened._replace(grid=grid)
            records = made_of(opened, out, progress)
            looks = (*looks, seeds)
            comparisons = _summaries(opened, records, looks, out)
        save_winner(opened, comparisons[-1], out)
        document = _document(opened.tasks, comparisons, out)
        files.write(out, document)
    return tuple(comparison.kept_in(str(out)) for comparison in document.comparisons)


def _document(tasks: Sequence[Task], comparisons: Sequence[Comparison], out: Path) -> Document:
    """All that the report shows; a part that cannot be made is said among the warnings."""
    last, said = comparisons[-1], list[str]()

    def made_or(what: str, make: Callable[[], Made], nothing: Made) -> Made:
        found = attempt(make)
        if isinstance(found, Missing):
            said.append(f"{what} not shown. {found.reason}")
            return nothing
        return found

    examples: tuple[Disagreement, ...] = ()
    surest: tuple[Mistake, ...] = ()
    examples = made_or("Pictures that arms call differently are", partial(disagreements, tasks, last, out), examples)
    surest = made_or("The surest mistakes are", partial(mistakes, tasks, last, out), surest)
    last = made_or("What each arm gets wrong is", partial(diagnosed, out, last), last)
    curves: dict[str, Curve] = {}
    curves = made_or("How the runs trained is", partial(files.read_curves, out, comparisons), curves)
    last = last.model_copy(update={"warnings": (*last.warnings, *said)})
    return Document(comparisons=(*comparisons[:-1], last), disagreements=examples, mistakes=surest, curves=curves)


def _undecided(comparisons: Sequence[Comparison]) -> int:
    return sum(verdict.verdict == "INCONCLUSIVE" for comparison in comparisons for verdict in comparison.verdicts)


def _summaries(opened: Opened, records: Sequence[RunRecord], looks: Sequence[int], out: Path) -> tuple[Comparison, ...]:
    by_size = {
        size: [record for record in records if record.train_images == size] for size in opened.comparison.train_images
    }
    (pretraining, missing), shared = pretraining_cost(opened), shared_by(by_size.values())
    return tuple(_summary(opened, found, pretraining, missing, shared, looks, out) for found in by_size.values())


def _summary(
    opened: Opened,
    records: Sequence[RunRecord],
    pretraining: PretrainingCost | None,
    missing: str | None,
    shared: Shared,
    looks: Sequence[int],
    out: Path,
) -> Comparison:
    plan = opened.comparison
    left_out = opened.grid.left_out[plan.student]
    comparison = summarise(
        records,
        not_tested=[NotTested(arm=arm, reason=reason) for arm, reason in left_out.items()],
        plan=plan.model_dump(mode="json"),
        pretraining=pretraining,
        pretraining_missing=missing,
        shared=shared,
        looks=looks,
    )
    known = (*before_training(opened), *about_folds(opened))
    said = (*comparison.warnings, *known, *cautions(opened.tasks, comparison, out))
    return comparison.model_copy(update={"warnings": said})
