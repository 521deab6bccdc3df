"""After a comparison over folds: the command that trains the winner once more, on nearly all images."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path

from azeotrope.arm import Arm
from azeotrope.cli._options.groups import Pictures, Teaching, Upstream
from azeotrope.cli._options.models import Models
from azeotrope.cli._options.spread import Group, Typed

_REPLACED = ("folds", "arms", "losses", "seeds", "train_images", "out", "workers", "device_budget", "debug")


def final_command(typed: Typed, winner: str, models: Models, out: Path) -> str:
    """The comparison's command for this arm alone, without folds: its options but those that the arm has no use for,
    models that were chosen by name, and a new folder beside `out`.
    """
    idle = {*_REPLACED, *_without_use(Arm.parse(winner))}
    given = [word for name, words in typed.words.items() if name not in idle for word in words]
    chosen = {
        "student": ("--student", models.student),
        "teacher": ("--teacher", models.teacher),
        "teacher_size": ("--teacher-size", models.teacher_size),
    }
    for name, (option, value) in chosen.items():
        if value is not None and name not in typed.words and name not in idle:
            given += [option, str(value)]
    one = ["--arms", winner, "--held-out", "0.05", "--seeds", "1", "--out", f"{out}-final"]
    return shlex.join(["azeotrope", "compare", *given, *one])


def _without_use(arm: Arm) -> set[str]:
    """Options of a teacher, further pictures and pre-training, where this arm uses none."""
    used: dict[type[Group], bool] = {
        Teaching: arm.strategy == "distill",
        Pictures: arm.pictures is not None,
        Upstream: arm.init == "upstream",
    }
    idle = {field.name for group, there in used.items() if not there for field in fields(group)}
    return idle if used[Teaching] else idle | {"teacher"}
