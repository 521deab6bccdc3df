"""`azeotrope.synth`: make pictures for a task with a generative model and let the teacher judge them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from azeotrope.api.progress import Progress, Silent, scanning
from azeotrope.config import Recipe, TeacherSpec, ViewPolicy
from azeotrope.data.manifest import scan
from azeotrope.data.sources._places import cache_root
from azeotrope.data.task import Task, load_task
from azeotrope.data.unlabelled import held_out_rows, keep_apart
from azeotrope.data.views import PLAIN
from azeotrope.errors import InputError, StoreError
from azeotrope.models.device import choose, prepare
from azeotrope.record.claim import PLAN, claimed
from azeotrope.record.store import cannot_write, write_atomically
from azeotrope.spec import from_yaml, to_yaml
from azeotrope.sweeping.resources import Resources
from azeotrope.synthesis import page, provenance
from azeotrope.synthesis.filter import Judgement, Reference, check_worth, judge
from azeotrope.synthesis.making import Line, make_missing, requests_for
from azeotrope.synthesis.opening import Ready, open_named, originals_of, train_own
from azeotrope.synthesis.pictures import SUMMARY, set_folder, source_of
from azeotrope.synthesis.spec import FilterSpec, GeneratorSpec, SynthPlan
from azeotrope.teacher.head import Head

ORIGINALS_SIZE = 512  # pixels at most at which training images are redrawn


@dataclass(frozen=True)
class Synthesis:
    """One finished set: where it is, how many pictures were made and kept, why the others were refused.

    `seconds` by phase: `train_generator`, `generate`, `filter`.
    """

    folder: Path
    made: int
    kept: int
    refused: dict[str, int]
    seconds: dict[str, float]
    warnings: tuple[str, ...]


def synth(
    data: str,
    *,
    teacher: str | TeacherSpec,
    generator: GeneratorSpec,
    out: str | Path,
    per_class: int | None = None,
    multiple: float | None = None,
    train_images: int | None = None,
    seeds: Sequence[int] = (0,),
    judged_by: FilterSpec | None = None,
    batch_images: int = 32,
    picture_format: Literal["png", "jpeg"] = "png",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    cache: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Synthesis, ...]:
    """Make `per_class` pictures of every class, or `multiple` times the training images, for each seed's subset.

    Generator (if trained here) and filter see this subset and no other labels, so every seed has a set of its own,
    `out/n<train_images>-s<seed>`. The same command goes on where it stopped; a larger number adds to what is there.

    Raises InputError for wrong input, StoreError for a folder that cannot be used, RunFailed when the teacher refuses
    nearly everything; report and provenance are then on disk too.
    """
    progress, device = progress or Silent(), choose(precision)
    prepare()
    task = load_task(data, scanning(progress))
    resources = Resources(cache or cache_root(), device)
    resources.add(task)
    images = train_images or len(task.splits.train)
    spec = TeacherSpec(model=teacher) if isinstance(teacher, str) else teacher
    if len(spec.members) > 1:
        raise InputError("One teacher judges the pictures", found=spec.model, next_step="name one with --teacher")
    spec = resources.resolved(spec)
    done = []
    for seed in seeds:
        plan = SynthPlan(
            data=task.name,
            fingerprint=task.fingerprint,
            teacher=spec,
            train_images=images,
            seed=seed,
            generator=generator,
            per_class=_per_class(per_class, multiple, images, len(task.classes)),
            batch_images=batch_images,
            format=picture_format,
            filter=judged_by or FilterSpec(),
            precision=device.precision,
        )
        with claimed(set_folder(Path(out), images, seed)) as folder:
            _keep_plan(folder, plan)
            done.append(_one_set(task, resources, plan, folder, progress))
    return tuple(done)


def _one_set(task: Task, resources: Resources, plan: SynthPlan, folder: Path, progress: Progress) -> Synthesis:
    ready = _ready(task, resources, plan, folder, progress)
    warnings = list(ready.warnings)

    def say(words: str) -> None:
        warnings.append(words)
        progress.say(words)

    requests = requests_for(task.classes, plan.per_class, plan.seed)
    progress.start("making pictures", len(requests), "pictures")
    journal = make_missing(
        ready.generator,
        requests,
        folder,
        batch_images=plan.batch_images,
        suffix={"png": "png", "jpeg": "jpg"}[plan.format],
        advance=progress.advance,
        say=say,
    )
    lines = [journal[request.label, request.index] for request in requests]
    began = time.perf_counter()
    judgement = _judged(task, resources, plan, folder, lines, progress)
    seconds = {
        "train_generator": ready.seconds,
        "generate": sum(line.seconds for line in lines),
        "filter": time.perf_counter() - began,
    }
    rows = provenance.table(lines, judgement, task.classes, ready.generator)
    said = tuple(dict.fromkeys(warnings))
    done = Synthesis(folder, len(lines), int(judgement.kept.sum()), judgement.counts(), seconds, said)
    provenance.write(folder, rows)
    _write(folder / page.PAGE, page.page(folder, plan, rows, ready.generator, seconds, said))
    check_worth(judgement, np.array([line.label for line in lines]), str(folder / page.PAGE))
    _write(folder / SUMMARY, json.dumps({"made": done.made, "kept": done.kept, "seconds": seconds}, indent=1))
    return done


def _ready(task: Task, resources: Resources, plan: SynthPlan, folder: Path, progress: Progress) -> Ready:
    spec = plan.generator
    rows = resources.rows(task.fingerprint, plan.train_images, plan.seed).train
    if spec.training is not None:
        progress.start("training a generator", spec.training.steps, "steps")
        pack = resources.pack(task.fingerprint, spec.training.picture_size)
        return train_own(plan, pack, rows, folder / "generator", resources.device, progress.advance)
    if spec.kind == "text":
        return open_named(spec, task.classes, resources.device)
    pack = resources.pack(task.fingerprint, spec.picture_size or ORIGINALS_SIZE)
    return open_named(spec, task.classes, resources.device, originals_of(pack, rows))


def _judged(
    task: Task, resources: Resources, plan: SynthPlan, folder: Path, lines: Sequence[Line], progress: Progress
) -> Judgement:
    """The teacher of this subset on all pictures, beside its own view of the subset and of what is held out."""
    recipe = Recipe.for_images(plan.train_images)
    policy = ViewPolicy(mirror=task.source.mirror)  # the plain view of the same cache that `compare` uses by default
    taught = resources.taught(plan.teacher, task.fingerprint, plan.train_images, plan.seed, policy, recipe.views)
    rows, held = resources.rows(task.fingerprint, plan.train_images, plan.seed).train, held_out_rows(task)
    own = taught.targets.cache
    progress.start("judging pictures", len(held) + len(lines), "pictures")
    own.ensure(np.concatenate([rows, held]), [PLAIN], progress.advance)
    source = source_of(folder, [line.file for line in lines], [line.label for line in lines], task.classes)
    pool = keep_apart(source, scan(source), task)
    resources.add(pool.task)
    cache = resources.embeddings(plan.teacher, pool.task.fingerprint, policy, recipe.views)
    readable = np.flatnonzero(pool.task.manifest.readable)
    cache.ensure(readable, [PLAIN], progress.advance)
    known = {place: line.refused for place, line in enumerate(lines) if line.refused} | pool.dropped
    features = torch.zeros(len(lines), own.teacher.features)
    features[readable] = cache.read(readable, PLAIN)
    head = taught.targets.head
    assert isinstance(head, Head), "one teacher has one head"
    reference = Reference(own.read(rows, PLAIN), own.read(held, PLAIN))
    labels = torch.tensor([line.label for line in lines])
    return judge(features, labels, head, reference, plan.filter, known)


def _per_class(per_class: int | None, multiple: float | None, train_images: int, classes: int) -> int:
    if (per_class is None) == (multiple is None):
        raise InputError(
            "How many pictures must be said in one way",
            found="neither" if per_class is None else "both --per-class and --multiple",
            allowed="--per-class 100, or --multiple 2x (of the training images)",
            next_step="give one of them",
        )
    count = per_class if per_class is not None else -(-round((multiple or 0) * train_images) // classes)
    if count < 1:
        raise InputError("At least one picture a class must be made", found=str(count), allowed="1 or more")
    return count


def _keep_plan(folder: Path, plan: SynthPlan) -> None:
    """A set may grow and be judged again; pictures that were made otherwise are another set."""
    path = folder / PLAN
    if path.exists():
        before = from_yaml(SynthPlan, path).making().model_dump()
        differing = [key for key, value in plan.making().model_dump().items() if before[key] != value]
        if differing:
            raise StoreError(
                f"The pictures in {folder} were made otherwise",
                found=f"another {', '.join(differing)}",
                allowed="the same, but for how many and how they are judged",
                next_step="choose another folder with --out",
            )
    _write(path, to_yaml(plan))


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise cannot_write(path, error) from error
