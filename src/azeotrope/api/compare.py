"""`azeotrope.compare`: train one student in every sensible way at equal budget and say which way is better, and how
surely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from azeotrope.api.cautions import before_training, cautions
from azeotrope.api.examples import disagreements
from azeotrope.api.pretraining import pretraining_cost
from azeotrope.api.progress import Progress, Silent
from azeotrope.api.winner import save_winner
from azeotrope.api.workshop import Request, Workshop, keep_plan, open_workshop
from azeotrope.config import ONE_CLASS, LabelSpec, PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.errors import InputError
from azeotrope.record.claim import claimed
from azeotrope.record.run import RunRecord
from azeotrope.reporting import files
from azeotrope.reporting.numbers import Comparison, Document, NotTested, PretrainingCost
from azeotrope.reporting.part import Missing, attempt
from azeotrope.reporting.summary import summarise
from azeotrope.sweeping.plan import run_specs
from azeotrope.sweeping.runner import Runner, images_trained
from azeotrope.sweeping.spec import RunSpec


def compare(
    data: str,
    *,
    student: str,
    teacher: str | TeacherSpec | None,
    out: str | Path,
    train_images: int | None = None,
    arms: Sequence[str] | None = None,
    losses: Sequence[str] | None = None,
    seeds: int = 3,
    image_size: int | None = None,
    upstream: UpstreamSpec | None = None,
    pictures: PicturesSpec | None = None,
    recipe: Mapping[str, Any] | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    cache: Path | None = None,
    cache_gb: float | None = None,
    verify_cache: bool = False,
    strict: bool = False,
    labels: LabelSpec = ONE_CLASS,
    progress: Progress | None = None,
) -> Comparison:
    """Compare strategies at one number of training images, and leave records, report and the winner's model in `out`.

    `data`, `student` and `teacher` are written as on the command line (`fashion-mnist`, `photos/`,
    `timm:resnet10t`), `arms` as `Arm.parse` reads them; None takes all that are possible here. `losses` are for the
    `distill` arms that name none: one list such as `kl+align_uniform=0.5`, or several, of which validation chooses
    (`sweeping.search`). `pictures` are further ones, for arms such as `distill+unlabelled`. `recipe` overrides fields
    of `Recipe`; `cache_gb`, `verify_cache`, `strict` and `labels` are those of `Request`. A run that is in `out`
    already is not made again, so an interrupted comparison goes on.

    Raises InputError for wrong input and StoreError for an output folder that cannot be used.
    """
    if seeds < 1:
        raise InputError("At least one seed is needed", found=str(seeds), next_step="take 3 or more for a verdict")
    sizes = None if train_images is None else [train_images]
    request = Request(
        data,
        student,
        teacher,
        sizes,
        arms,
        range(seeds),
        image_size,
        upstream,
        recipe or {},
        precision,
        cache,
        losses,
        cache_gb,
        verify_cache,
        strict,
        pictures,
        labels,
    )
    return compare_sizes(request, Path(out), progress or Silent())[-1]


def compare_sizes(request: Request, out: Path, progress: Progress) -> tuple[Comparison, ...]:
    """`compare` at every size of the request; one report for all."""
    with claimed(out):
        workshop = open_workshop(request, progress)
        keep_plan(out, workshop.plan)
        for caution in before_training(workshop):
            progress.note(caution)
        runner = Runner(workshop.resources, out, progress.advance)
        specs = {size: _specs(workshop, size) for size in workshop.plan.train_images}
        total = sum(images_trained(spec) for size in specs for spec in specs[size])
        progress.start("training", total, "images")
        records = {size: [_run(runner, spec, progress) for spec in specs[size]] for size in specs}
        pretraining = pretraining_cost(workshop)
        comparisons = tuple(_summary(workshop, records[size], pretraining) for size in specs)
        save_winner(workshop, runner, comparisons[-1], specs[workshop.plan.train_images[-1]])
        pictures = attempt(partial(disagreements, workshop.task, comparisons[-1], out))
        if isinstance(pictures, Missing):
            said = f"Pictures that the arms call differently are not shown. {pictures.reason}"
            last = comparisons[-1]
            comparisons = (*comparisons[:-1], last.model_copy(update={"warnings": (*last.warnings, said)}))
            pictures = ()
        files.write(out, Document(comparisons=comparisons, disagreements=pictures))
    return comparisons


def _specs(workshop: Workshop, train_images: int) -> list[RunSpec]:
    return run_specs(workshop.plan, train_images, workshop.resources, workshop.upstream)


def _run(runner: Runner, spec: RunSpec, progress: Progress) -> RunRecord:
    progress.say(f"{spec.arm.name}, {spec.train_images:,} images, seed {spec.seed}")
    return runner.run(spec)


def _summary(workshop: Workshop, records: Sequence[RunRecord], pretraining: PretrainingCost | None) -> Comparison:
    comparison = summarise(
        records,
        not_tested=[NotTested(arm=arm, reason=reason) for arm, reason in workshop.left_out.items()],
        plan=workshop.plan.model_dump(mode="json"),
        pretraining=pretraining,
    )
    said = (*comparison.warnings, *before_training(workshop), *cautions(workshop.task, comparison))
    return comparison.model_copy(update={"warnings": said})
