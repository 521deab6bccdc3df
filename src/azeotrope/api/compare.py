"""`azeotrope.compare`: train one student in every sensible way at equal budget and say which way is better, and how
surely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from azeotrope.api.examples import disagreements
from azeotrope.api.progress import Progress, Silent
from azeotrope.api.winner import save_winner
from azeotrope.api.workshop import Request, Workshop, keep_plan, open_workshop
from azeotrope.config import TeacherSpec, UpstreamSpec
from azeotrope.errors import InputError
from azeotrope.record.claim import claimed
from azeotrope.record.run import RunRecord
from azeotrope.reporting import files
from azeotrope.reporting.numbers import Comparison, Document, NotTested, PretrainingCost
from azeotrope.reporting.summary import summarise
from azeotrope.sweeping.plan import run_specs
from azeotrope.sweeping.runner import Runner, images_trained
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.throughput import training_rate

IMAGENET_1K_IMAGES = 1_281_167
PRETRAINING_BATCH = 32
IMAGENET_EPOCHS = (
    90  # the shortest schedule in common use for small networks (torchvision's ResNet recipe); hub weights took more
)


def compare(
    data: str,
    *,
    student: str,
    teacher: str | TeacherSpec | None,
    out: str | Path,
    train_images: int | None = None,
    arms: Sequence[str] | None = None,
    seeds: int = 3,
    image_size: int | None = None,
    upstream: UpstreamSpec | None = None,
    recipe: Mapping[str, Any] | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare strategies at one number of training images, and leave records, report and the winner's model in `out`.

    `data`, `student` and `teacher` are written as on the command line (`fashion-mnist`, `photos/`,
    `timm:resnet10t`), `arms` as `Arm.parse` reads them; None takes all that are possible here. `recipe` overrides
    fields of `Recipe`. A run that is in `out` already is not made again, so an interrupted comparison goes on.

    Raises InputError for wrong input and StoreError for an output folder that cannot be used.
    """
    if seeds < 1:
        raise InputError("At least one seed is needed", found=str(seeds), next_step="take 3 or more for a verdict")
    sizes = None if train_images is None else [train_images]
    request = Request(
        data, student, teacher, sizes, arms, range(seeds), image_size, upstream, recipe or {}, precision, cache
    )
    return compare_sizes(request, Path(out), progress or Silent())[-1]


def compare_sizes(request: Request, out: Path, progress: Progress) -> tuple[Comparison, ...]:
    """`compare` at every size of the request; one report for all."""
    with claimed(out):
        workshop = open_workshop(request, progress)
        keep_plan(out, workshop.plan)
        runner = Runner(workshop.resources, out, progress.advance)
        specs = {size: _specs(workshop, size) for size in workshop.plan.train_images}
        total = sum(images_trained(spec) for size in specs for spec in specs[size])
        progress.start("training", total, "images")
        records = {size: [_run(runner, spec, progress) for spec in specs[size]] for size in specs}
        pretraining = _pretraining(workshop)
        comparisons = tuple(_summary(workshop, records[size], pretraining) for size in specs)
        save_winner(workshop, runner, comparisons[-1], specs[workshop.plan.train_images[-1]])
        pictures = disagreements(workshop.task, comparisons[-1], out)
        files.write(out, Document(comparisons=comparisons, disagreements=pictures))
    return comparisons


def _specs(workshop: Workshop, train_images: int) -> list[RunSpec]:
    return run_specs(workshop.plan, train_images, workshop.resources, workshop.upstream)


def _run(runner: Runner, spec: RunSpec, progress: Progress) -> RunRecord:
    progress.say(f"{spec.arm.name}, {spec.train_images:,} images, seed {spec.seed}")
    return runner.run(spec)


def _summary(workshop: Workshop, records: Sequence[RunRecord], pretraining: PretrainingCost) -> Comparison:
    comparison = summarise(
        records,
        not_tested=[NotTested(arm=arm, reason=reason) for arm, reason in workshop.left_out.items()],
        plan=workshop.plan.model_dump(mode="json"),
        pretraining=pretraining,
    )
    weak = _teacher_below_student(comparison)
    return comparison.model_copy(update={"warnings": (*comparison.warnings, weak)}) if weak else comparison


def _teacher_below_student(comparison: Comparison) -> str | None:
    teacher, best = (
        comparison.teacher,
        min((arm.test_error.value for arm in comparison.arms if arm.test_error), default=None),
    )
    if teacher is None or teacher.head_error is None or best is None or teacher.head_error <= best:
        return None
    return (
        f"The teacher's head is wrong on {100 * teacher.head_error:.1f} % of the test images, the best student on "
        f"{100 * best:.1f} %: a teacher below its student can still help, but a better one may help more."
    )


def _pretraining(workshop: Workshop) -> PretrainingCost:
    """What pre-training this student on ImageNet-1k would take on this machine, from a trial of seconds at its own
    resolution.
    """
    plan, resources = workshop.plan, workshop.resources
    student = resources.student(plan.student, 1000, None, pretrained=False, seed=0)
    rate = training_rate(student.network, student.preprocessing.size, PRETRAINING_BATCH, resources.device)
    return PretrainingCost(
        source="ImageNet-1k", images=IMAGENET_1K_IMAGES, epochs=IMAGENET_EPOCHS, images_per_second=rate
    )
