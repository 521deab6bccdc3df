"""Teachers that only the size of their images tells apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from azeotrope.record.run import RunRecord

R = TypeVar("R", bound=RunRecord)


def told_apart(records: Iterable[R]) -> list[R]:
    """The same records; where one teacher looked at several sizes in them, its name holds the size."""
    found, sizes = list(records), dict[str, set[int]]()
    for run in found:
        if run.teacher is not None:
            sizes.setdefault(run.teacher.called, set()).add(run.teacher.image_size)
    return [
        run.model_copy(update={"teacher": run.teacher.at_its_size})
        if run.teacher is not None and len(sizes[run.teacher.called]) > 1
        else run
        for run in found
    ]
