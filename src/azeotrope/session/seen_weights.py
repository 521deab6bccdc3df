"""Weights that were trained on the task's own images may not teach on it or start a student: they have seen labels, and
perhaps test images, that the run may not see.

Models that this program saved carry the fingerprint of their task and the digest of its images, which tells them
however they are split; of other files nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable

from azeotrope.arm import Arm
from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.models.saved import trained_on
from azeotrope.models.spec import ModelSpec
from azeotrope.plan import TeacherSpec


def refuse_seen_weights(
    task: Task, students: Iterable[str], teachers: Iterable[TeacherSpec], arms: Iterable[Arm]
) -> None:
    """Raise InputError for a teacher, or for the start of a student where an arm starts from weights, that was trained
    on the images of this task.
    """
    own = {task.fingerprint, task.manifest.images_digest}
    named = {member.model: "a teacher" for teacher in teachers for member in teacher.members}
    if any(arm.init == "hub" for arm in arms):
        named |= dict.fromkeys(students, "the start of a student")
    for model, role in named.items():
        if trained_on(ModelSpec.parse(model)) & own:
            raise InputError(
                f"Weights that were trained on these very images cannot be {role} on them",
                found=f"{model}, saved by azeotrope after a training on them",
                allowed="weights that were trained on other images",
                next_step="name other weights, or insist with --seen-weights",
            )
