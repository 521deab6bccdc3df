"""What a task of other pictures than grey or colour of 8 bits asks of its teacher and of what stands beside it."""

from __future__ import annotations

from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.plan import TeacherSpec
from azeotrope.sweeping.sweep_plan import SweepPlan


def check_bands(asked: SweepPlan, teacher: TeacherSpec | None, task: Task, upstream: Task | None) -> None:
    """Raise InputError where a teacher does not know which bands to look at, and for what such pictures do not do."""
    manifest = task.manifest
    if teacher is not None and teacher.bands is not None:
        manifest.places_of(teacher.bands)
    elif teacher is not None and manifest.in_channels != 3:
        raise InputError(
            f"A teacher looks at three bands, and these pictures have {manifest.bands}",
            found="no --teacher-bands",
            allowed="three of them as red, green and blue, or one as grey",
            next_step="name them, such as --teacher-bands 3,2,1",
        )
    if upstream is not None and upstream.manifest.in_channels != manifest.in_channels:
        raise InputError(
            "A student is pre-trained on pictures of as many bands as it is trained on",
            found=f"{upstream.manifest.bands} in {upstream.name}, {manifest.bands} in {task.name}",
            next_step="leave --upstream out",
        )
    idle = {"--deploy": asked.deploy, "--unlabelled and --synth": asked.pictures}
    if not manifest.reading.plain and (given := [option for option, value in idle.items() if value]):
        raise InputError(
            "Files for a device and further pictures are grey or colour of 8 bits, as they are stored, whole",
            found=f"{given[0]} with --bands, --bits, --colours or --fit",
            next_step=f"leave {given[0]} out",
        )
