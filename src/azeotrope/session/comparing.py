"""Makes the runs of a comparison, size by size, and leaves records, report and the winner's model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from azeotrope.analysis.diagnosed import diagnosed
from azeotrope.data.task import Task
from azeotrope.record.claim import claimed
from azeotrope.record.run import RunRecord
from azeotrope.reporting import files
from azeotrope.reporting.numbers import Comparison, Document, NotTested, PretrainingCost
from azeotrope.reporting.part import Made, Missing, attempt
from azeotrope.reporting.summary import shared_by, summarise
from azeotrope.reporting.words import plural
from azeotrope.session.cautions import before_training, cautions
from azeotrope.session.disagreements import disagreements
from azeotrope.session.pictures import mistakes
from azeotrope.session.pretraining_cost import pretraining_cost
from azeotrope.session.progress import Progress
from azeotrope.session.saving import save_winner
from azeotrope.session.workshop import Request, Workshop, keep_plan, open_workshop
from azeotrope.sweeping.plan import run_specs
from azeotrope.sweeping.runner import Runner, images_trained
from azeotrope.sweeping.spec import RunSpec
from azeotrope.verdicts.moderated import Common
from azeotrope.verdicts.stopping import next_look


def compare_sizes(
    request: Request, out: Path, progress: Progress, *, until_decided: bool = False
) -> tuple[Comparison, ...]:
    """`compare` at every size of the request; one report for all.

    `until_decided` goes on with the seeds of `stopping.LOOKS` until every verdict is decided; the request's are then
    those of the first look.
    """
    with claimed(out):
        workshop = open_workshop(request, progress)
        keep_plan(out, workshop.plan)
        for caution in before_training(workshop):
            progress.note(caution)
        runner = Runner(workshop.resources, out, progress.advance)
        specs, records = _made(workshop, runner, progress)
        looks: tuple[int, ...] = (len(workshop.plan.seeds),) if until_decided else ()
        comparisons = _summaries(workshop, records, looks, out)
        while until_decided and (seeds := next_look(_undecided(comparisons), looks[-1])):
            progress.note(f"{plural(_undecided(comparisons), 'verdict')} open after {looks[-1]} seeds: on to {seeds}")
            workshop = replace(workshop, plan=workshop.plan.model_copy(update={"seeds": tuple(range(seeds))}))
            keep_plan(out, workshop.plan)
            specs, records = _made(workshop, runner, progress)
            looks = (*looks, seeds)
            comparisons = _summaries(workshop, records, looks, out)
        save_winner(workshop, runner, comparisons[-1], specs[workshop.plan.train_images[-1]])
        document = _document(workshop.task, comparisons, out)
        files.write(out, document)
    return document.comparisons


def _document(task: Task, comparisons: Sequence[Comparison], out: Path) -> Document:
    """All that the report shows; a part that cannot be made is said among the warnings."""
    last, said = comparisons[-1], list[str]()

    def made(what: str, make: Callable[[], Made], nothing: Made) -> Made:
        found = attempt(make)
        if isinstance(found, Missing):
            said.append(f"{what} not shown. {found.reason}")
            return nothing
        return found

    examples = made("Pictures that the arms call differently are", partial(disagreements, task, last, out), ())
    surest = made("The surest mistakes are", partial(mistakes, task, last, out), ())
    last = made("What each arm gets wrong is", partial(diagnosed, out, last), last)
    last = last.model_copy(update={"warnings": (*last.warnings, *said)})
    return Document(comparisons=(*comparisons[:-1], last), disagreements=examples, mistakes=surest)


def _made(
    workshop: Workshop, runner: Runner, progress: Progress
) -> tuple[dict[int, list[RunSpec]], dict[int, list[RunRecord]]]:
    """The runs of every size; what is stored already is not made again."""
    specs = {size: _specs(workshop, size) for size in workshop.plan.train_images}
    total = sum(images_trained(spec) for size in specs for spec in specs[size])
    progress.start("training", total, "images")
    return specs, {size: [_run(runner, spec, progress) for spec in specs[size]] for size in specs}


def _undecided(comparisons: Sequence[Comparison]) -> int:
    return sum(verdict.verdict == "INCONCLUSIVE" for comparison in comparisons for verdict in comparison.verdicts)


def _summaries(
    workshop: Workshop, records: Mapping[int, Sequence[RunRecord]], looks: Sequence[int], out: Path
) -> tuple[Comparison, ...]:
    (pretraining, missing), shared = pretraining_cost(workshop), shared_by(records.values())
    return tuple(_summary(workshop, records[size], pretraining, missing, shared, looks, out) for size in records)


def _specs(workshop: Workshop, train_images: int) -> list[RunSpec]:
    return run_specs(workshop.plan, train_images, workshop.resources, workshop.upstream)


def _run(runner: Runner, spec: RunSpec, progress: Progress) -> RunRecord:
    progress.say(f"{spec.arm.name}, {spec.train_images:,} images, seed {spec.seed}")
    return runner.run(spec)


def _summary(
    workshop: Workshop,
    records: Sequence[RunRecord],
    pretraining: PretrainingCost | None,
    missing: str | None,
    shared: Common | None,
    looks: Sequence[int],
    out: Path,
) -> Comparison:
    comparison = summarise(
        records,
        not_tested=[NotTested(arm=arm, reason=reason) for arm, reason in workshop.left_out.items()],
        plan=workshop.plan.model_dump(mode="json"),
        pretraining=pretraining,
        pretraining_missing=missing,
        shared=shared,
        looks=looks,
    )
    said = (*comparison.warnings, *before_training(workshop), *cautions(workshop.task, comparison, out))
    return comparison.model_copy(update={"warnings": said})
