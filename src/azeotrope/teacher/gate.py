"""A teacher must know something before it teaches.

The gate refuses an untrained head and a teacher near chance. It does not refuse a teacher below the student: such a
teacher can still help (METHOD), so it is shown beside the student instead.
"""

from __future__ import annotations

from azeotrope.errors import RunFailed
from azeotrope.kinds._kind import Kind, Labels
from azeotrope.kinds.single import KIND as SINGLE


def needed_accuracy(labels: Labels, kind: Kind = SINGLE) -> float:
    """The 1 − error that is above chance by three standard errors (`Kind.needed`)."""
    return kind.needed(labels)


def check(name: str, accuracy: float, val_labels: Labels, kind: Kind = SINGLE) -> None:
    """Raise RunFailed when the teacher's 1 − error on validation is not above what chance would give."""
    needed = needed_accuracy(val_labels, kind)
    if accuracy < needed:
        raise RunFailed(
            f"The teacher {name} is near chance on these images",
            found=f"{100 * accuracy:.1f} % {kind.right} on {len(val_labels)} validation images",
            allowed=f"at least {100 * needed:.1f} % (chance and three standard errors)",
            next_step="take a teacher trained on similar images, a larger --teacher-size, or more labelled images",
        )
