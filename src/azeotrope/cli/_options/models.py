"""The student and the teacher: those that a person names, or those that are suggested, with a line on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from azeotrope.arm import Arm
from azeotrope.cli._options import words
from azeotrope.cli._options.spread import refuse_idle
from azeotrope.lookup import members
from azeotrope.plan import TeacherSpec
from azeotrope.spec import validated

if TYPE_CHECKING:
    from azeotrope.session.options import Options
    from azeotrope.session.progress import Progress


@dataclass(frozen=True)
class Models:
    """What was named of the two, what the student's device has room for, at how many pixels a suggested teacher
    looks, and at which bands of the files any teacher does.
    """

    student: str | None
    teacher: str | None
    device_budget: str | None
    teacher_size: int | None = None
    teacher_bands: tuple[int, ...] | None = None

    @property
    def named(self) -> str:
        """The student, once there is one."""
        assert self.student is not None
        return self.student

    def teachers(self) -> list[TeacherSpec]:
        """All that were named, or the suggested one at its size."""
        names, how = words.names(self.teacher) or (), {"image_size": self.teacher_size, "bands": self.teacher_bands}
        return [validated(TeacherSpec, {"model": name, **how}) for name in names]

    def filled(
        self, data: str, sizes: Sequence[int] | None, arms: Sequence[str] | None, asked: Options, progress: Progress
    ) -> Self:
        """With a student, and, where none was named and an arm takes one, a teacher. Each choice is said."""
        import azeotrope
        from azeotrope.labels import ONE_CLASS

        if self.student is not None:
            return self
        found = azeotrope.suggest(
            data,
            train_images=max(sizes) if sizes else None,
            device_budget=self.device_budget,
            labels=asked.get("labels") or ONE_CLASS,
            teacher_bands=self.teacher_bands,
            device=asked.get("device", "auto"),
        )
        about_student, about_teacher = found.words
        progress.note(about_student)
        if self.teacher is not None or not _takes_one(arms):
            return replace(self, student=found.student)
        progress.note(about_teacher)
        if found.teacher is None:
            return replace(self, student=found.student)
        return replace(self, student=found.student, teacher=found.teacher.model, teacher_size=found.teacher.image_size)


def refuse_unused(arms: Sequence[str] | None, *, teacher: object = None, upstream: object = None) -> None:
    """Raise InputError for a teacher, or a set to pre-train on, that none of the named arms uses."""
    if arms is None:
        return
    if teacher and not _takes_one(arms):
        refuse_idle(("--teacher",), "none of the --arms learns from it", "add distill, or leave the teacher out")
    if upstream and not any(Arm.parse(arm).init == "upstream" for arm in arms):
        refuse_idle(("--upstream",), "none of the --arms starts from it", "add finetune@upstream, or leave it out")


def _takes_one(arms: Sequence[str] | None) -> bool:
    """Whether an arm learns from a teacher; of no arms named, all that are possible."""
    return arms is None or any(Arm.parse(arm).strategy == "distill" for arm in arms)


def holds_images(named: str, *, insisted: bool) -> bool:
    """Whether RUNS are images: a folder without records, or a source such as `digits`; a table where the person says
    so with another option.
    """
    folder = Path(named).expanduser()
    if folder.is_dir():
        return not any(folder.glob("runs/*.json")) and not any(folder.glob("*/runs/*.json"))
    if "://" in named or insisted:
        return insisted
    scheme = named.partition(":")[0].replace("-", "_")
    return not folder.exists() and scheme in members("data.sources")
