"""What a task of other pictures than grey or colour of 8 bits asks of its teacher and of what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable

from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.labels import PixelSpec
from azeotrope.plan import TeacherSpec
from azeotrope.sweeping.plans.sweep_plan import SweepPlan


def require_teacher_bands(teachers: Iterable[TeacherSpec], pixels: PixelSpec) -> None:
    """Raise InputError where bands are read and a teacher is not told which to look at, however many there are: before
    an image is listed.
    """
    if pixels.bands is not None and any(teacher.bands is None for teacher in teachers):
        named = pixels.bands if isinstance(pixels.bands, str) else ",".join(map(str, pixels.bands))
        raise InputError(
            "A teacher must be told which bands it looks at",
            found=f"--bands {named} and no --teacher-bands",
            allowed="three of them as red, green and blue, or one as grey",
            next_step="name them, such as --teacher-bands 3,2,1, or leave the teacher out",
        )


def check_bands(asked: SweepPlan, teacher: TeacherSpec | None, task: Task, upstream: Task | None) -> None:
    """Raise InputError where a teacher looks at bands that are not there, or is not told at which, and for what such
    pictures do not do.
    """
    manifest = task.manifest
    if teacher is not None:
        require_teacher_bands([teacher], manifest.pixels)
    if teacher is not None and teacher.bands is not None:
        manifest.places_of(teacher.bands)
    idle = {"--unlabelled and --synth": asked.pictures, "--upstream": upstream}
    if not manifest.reading.plain and (given := [option for option, value in idle.items() if value]):
        raise InputError(
            "An upstream set and further pictures are plain: grey or colour of 8 bits",
            found=f"{given[0]} with --bands, --bits, --colours, --fit or --formats",
            next_step=f"leave {given[0]} out",
        )
