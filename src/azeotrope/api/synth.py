"""`azeotrope.synth`: make pictures for a task with a generative model and let the teacher judge them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np

from azeotrope.data.task import Task
from azeotrope.devices.memory import give_back_freed_memory
from azeotrope.errors import InputError, StoreError
from azeotrope.labels import ONE_CLASS, PLAIN_PIXELS, LabelSpec
from azeotrope.plan import HELD_OUT, TeacherSpec
from azeotrope.record.storage.claim import PLAN, claimed
from azeotrope.record.storage.store import cannot_write, expanded, write_atomically
from azeotrope.session.judging import judged
from azeotrope.session.opening import open_resources
from azeotrope.session.options import SynthOptions
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.reading import read_task
from azeotrope.spec import from_yaml, to_yaml
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.synthesis import page, provenance
from azeotrope.synthesis.filter import check_worth
from azeotrope.synthesis.making import Line, make_missing, read_journal, requests_for
from azeotrope.synthesis.opening import (
    Ready,
    begun,
    check_every_class,
    going_on,
    open_named,
    originals_of,
    train_own,
)
from azeotrope.synthesis.pictures import NEAR_UNKNOWN, SUMMARY, set_folder
from azeotrope.synthesis.spec import FilesSpec, FilterSpec, GeneratorSpec, SetsSpec, SynthPlan

ORIGINALS_SIZE = 512  # pixels at most at which training images are redrawn
GENERATOR = "generator"  # folder of a generator of one's own

Journal = Mapping[tuple[int, int], Line]


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
    sets: SetsSpec,
    judged_by: FilterSpec | None = None,
    files: FilesSpec | None = None,
    labels: LabelSpec = ONE_CLASS,
    progress: Progress | None = None,
    **options: Unpack[SynthOptions],
) -> tuple[Synthesis, ...]:
    """Make the pictures that `sets` asks for, for each seed's subset.

    Generator (if trained here) and filter see this subset and no other labels, so every seed has a set of its own,
    `out/n<train_images>-s<seed>`. The same command goes on where it stopped; a larger number adds to what is there.
    `judged_by` says what the teacher lets pass, `files` how pictures are written; `options` are `SynthOptions`.
    `labels` says how the set is read: with the groups that a comparison names, the generator sees images of training
    groups only, and nothing near an image of another group is kept.

    Raises InputError for wrong input, StoreError for a folder that cannot be used, RunFailed when the teacher refuses
    nearly everything; report and provenance are then on disk too.
    """
    progress, files = progress or Silent(), files or FilesSpec()
    _check_labels(labels)
    resources = open_resources(options, options.get("precision", "auto"), progress)
    held_out, strict = options.get("held_out", HELD_OUT), options.get("strict", False)
    task = read_task(data, progress, labels, resources.cache, held_out=held_out, strict=strict)
    resources.add(task)
    images = sets.train_images or len(task.splits.train)
    for seed in sets.seeds:
        rows = resources.rows(task.fingerprint, images, seed).train
        if generator.kind != "text":
            check_every_class(task, rows)
    spec = TeacherSpec(model=teacher) if isinstance(teacher, str) else teacher
    if len(spec.members) > 1:
        raise InputError("One teacher judges the pictures", found=spec.model, next_step="name one with --teacher")
    spec = resources.resolved(spec)
    done = []
    for seed in sets.seeds:
        plan = SynthPlan(
            data=task.name,
            fingerprint=task.fingerprint,
            teacher=spec,
            train_images=images,
            seed=seed,
            generator=generator,
            per_class=sets.of_each_class(images, len(task.classes)),
            batch_images=files.batch_pictures,
            format=files.format,
            filter=judged_by or FilterSpec(),
            precision=resources.device.precision,
            labels=labels,
        )
        with claimed(set_folder(Path(expanded(out)), images, seed)) as folder:
            done.append(_one_set(task, resources, plan, folder, progress))
        give_back_freed_memory()
    return tuple(done)


def _check_labels(labels: LabelSpec) -> None:
    """Raises InputError for what no picture is made of: other labels than one class, other files than pictures."""
    idle = {
        f"--kind {labels.kind}": labels.kind != "single",
        "--bands, --bits, --colours, --fit or --formats": labels.pixels != PLAIN_PIXELS,
    }
    if given := [option for option, there in idle.items() if there]:
        raise InputError(
            "Pictures are made of one class each, grey or colour of 8 bits",
            found=given[0],
            next_step=f"leave {given[0]} out",
        )


def _one_set(task: Task, resources: Resources, plan: SynthPlan, folder: Path, progress: Progress) -> Synthesis:
    present = read_journal(folder)
    _check_plan(folder, plan, present)
    ready = _ready(task, resources, plan, folder, present, progress)
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
    found = judged(task, resources, plan, folder, lines, progress)
    judgement = found.judgement
    if not found.near_measured:
        say(f"{NEAR_UNKNOWN}.")
    seconds = {
        "train_generator": ready.seconds,
        "generate": sum(line.seconds for line in lines),
        "filter": found.seconds,
    }
    rows = provenance.table(lines, judgement, task.classes)
    said = tuple(dict.fromkeys(warnings))
    done = Synthesis(folder, len(lines), int(judgement.kept.sum()), judgement.counts(), seconds, said)
    provenance.write(folder, rows)
    _write(folder / page.PAGE, page.page(folder, plan, rows, seconds, said))
    labels, own = np.array([line.label for line in lines]), plan.generator.training is not None
    check_worth(judgement, labels, str(folder / page.PAGE), trained_here=own)
    _write(folder / SUMMARY, json.dumps({"made": done.made, "kept": done.kept, "seconds": seconds}, indent=1))
    return done


def _ready(
    task: Task, resources: Resources, plan: SynthPlan, folder: Path, present: Journal, progress: Progress
) -> Ready:
    """The generator, and the set begun: a training under its plan, a named one only after it could be opened."""
    spec = plan.generator
    rows = resources.rows(task.fingerprint, plan.train_images, plan.seed).train
    if spec.training is not None:
        _begin(folder, plan)
        progress.start("training a generator", spec.training.steps, "steps")
        pack = resources.pack(task.fingerprint, spec.training.picture_size)
        return train_own(plan, pack, rows, folder / GENERATOR, resources.device, progress.advance)
    originals = None
    if spec.kind != "text":
        originals = originals_of(resources.pack(task.fingerprint, spec.picture_size or ORIGINALS_SIZE), rows)
    ready = open_named(going_on(spec, present.values()), task.classes, resources.device, originals)
    _begin(folder, plan)
    return ready


def _check_plan(folder: Path, plan: SynthPlan, journal: Journal) -> None:
    """A set may grow and be judged again; pictures that were made otherwise are another set. Where neither a picture
    was made nor a training begun, an older plan binds nobody.
    """
    path = folder / PLAN
    if not path.exists() or not (journal or begun(folder / GENERATOR)):
        return
    before, now = from_yaml(SynthPlan, path).making(), plan.making()
    differing = [key for key in now if before[key] != now[key]]
    if differing:
        raise StoreError(
            f"The set in {folder} was begun otherwise",
            found=f"another {', '.join(differing)}",
            allowed="the same, but for how many and how they are judged",
            next_step="choose another folder with --out",
        )


def _begin(folder: Path, plan: SynthPlan) -> None:
    """From here to the end the set is unfinished: what an older command finished may be refused by this one."""
    try:
        (folder / SUMMARY).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder / SUMMARY, error) from error
    _write(folder / PLAN, to_yaml(plan))


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise cannot_write(path, error) from error
