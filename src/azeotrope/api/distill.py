"""`azeotrope.distill`: train one student and leave its model and record on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from azeotrope.errors import RunFailed
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import HELD_OUT, PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.record.claim import claimed
from azeotrope.record.run import RunRecord
from azeotrope.record.store import expanded
from azeotrope.session.cautions import before_training
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.saving import release, save_run
from azeotrope.session.workshop import Request, keep_plan, open_workshop
from azeotrope.sweeping.plan import run_specs
from azeotrope.sweeping.runner import Runner, images_trained


@dataclass(frozen=True)
class Distilled:
    """The folder of the saved model, and the record of its run."""

    model: Path
    record: RunRecord


def distill(
    data: str | Path,
    *,
    student: str,
    teacher: str | TeacherSpec | None,
    out: str | Path,
    train_images: int | None = None,
    arm: str = "distill",
    seed: int = 0,
    image_size: int | None = None,
    upstream: UpstreamSpec | None = None,
    pictures: PicturesSpec | None = None,
    recipe: Mapping[str, Any] | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    cache: Path | None = None,
    cache_gb: float | None = None,
    verify_cache: bool = False,
    strict: bool = False,
    seen_weights: bool = False,
    labels: LabelSpec = ONE_CLASS,
    held_out: float = HELD_OUT,
    progress: Progress | None = None,
) -> Distilled:
    """Train `student` on `data` towards `teacher` and save it under `out/models/`. Arguments as in `compare`.

    Raises InputError for wrong input, StoreError for an output folder that cannot be used, and RunFailed with the
    reason when the training cannot be finished; the reason is then on record too.
    """
    progress = progress or Silent()
    sizes = None if train_images is None else [train_images]
    request = Request(
        data,
        student,
        teacher,
        sizes,
        [arm],
        (seed,),
        image_size,
        upstream,
        recipe or {},
        precision,
        cache,
        cache_gb=cache_gb,
        verify_cache=verify_cache,
        strict=strict,
        seen_weights=seen_weights,
        pictures=pictures,
        labels=labels,
        held_out=held_out,
    )
    with claimed(Path(expanded(out))) as folder:
        workshop = open_workshop(request, progress)
        for caution in before_training(workshop):
            progress.note(caution)
        keep_plan(folder, workshop.plan)
        runner = Runner(workshop.resources, folder, progress.advance)
        (spec,) = run_specs(workshop.plan, workshop.plan.train_images[0], workshop.resources, workshop.upstream)
        progress.start(spec.arm.name, images_trained(spec), "images")
        record = runner.run(spec)
        if record.state == "failed":
            raise RunFailed(record.reason or "the run failed")
        model = save_run(workshop, runner, record, spec)
        release(runner)
    return Distilled(model, record)
