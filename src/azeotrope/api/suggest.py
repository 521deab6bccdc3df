"""`azeotrope.suggest`: a student and a teacher to begin with, and why."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from azeotrope.data.decoding.reading import Reading
from azeotrope.data.task import open_source
from azeotrope.devices.choice import choose
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import TeacherSpec
from azeotrope.record.labelled_images import divided
from azeotrope.session import suggesting
from azeotrope.session.device_budget import DeviceBudget
from azeotrope.spec import validated


@dataclass(frozen=True)
class Suggestion:
    """A student and a teacher as `compare` takes them, and a line for each with its reason and how to change it.
    `teacher` is None where none can be had.
    """

    student: str
    teacher: TeacherSpec | None
    words: tuple[str, str]


def suggest(
    data: str | Path,
    *,
    train_images: int | None = None,
    device_budget: str | DeviceBudget | None = None,
    labels: LabelSpec = ONE_CLASS,
    teacher_bands: tuple[int, ...] | None = None,
    device: str = "auto",
) -> Suggestion:
    """A student and a teacher for `compare(data)`, from the number and size of images, what computes and which weights
    can be had.

    `device_budget` is what the student's device has room for: "5MB", "300M MACs" or both by a comma. Nothing is trained
    and a few pictures are read. Where `labels` asks for bands, a teacher is suggested only with the `teacher_bands`
    that it looks at. Without network the hub is asked for a few seconds.

    Raises InputError for images that cannot be opened, and where no student fits the device.
    """
    source = open_source(os.fspath(data), labels)
    budget = DeviceBudget.parse(device_budget) if isinstance(device_budget, str) else device_budget
    images = train_images or divided(len(source.items)).train
    facts = suggesting.Facts.of(source, images, choose("auto", device).name, Reading(pixels=labels.pixels))
    untold = labels.pixels.bands is not None and teacher_bands is None
    student = suggesting.student(facts, budget)
    teacher = suggesting.UNTOLD if untold else suggesting.teacher(facts)
    assert student.model is not None  # one always fits, or an error says so
    spec = None
    if teacher.model is not None:
        how = {"image_size": teacher.image_size, "bands": teacher_bands}
        spec = validated(TeacherSpec, {"model": teacher.model, **how})
    return Suggestion(student.model, spec, (student.said("Student"), teacher.said("Teacher")))
