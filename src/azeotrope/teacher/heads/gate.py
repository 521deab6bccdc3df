"""A teacher must know something before it teaches.

The gate asks for knowledge in probabilities, not for accuracy: the log-loss on labels that the head has not seen must
be below that of the class shares, and not clearly above that of a linear model of the bare pixels. It refuses an
untrained head, a backbone that knows nothing of such images and random weights, and lets a useful teacher pass where
one class is above half or images are few. It does not refuse a teacher below the student: such a teacher can still
help, so it is shown beside the student instead.
"""

from __future__ import annotations

import math

from jaxtyping import Float, Shaped
from torch import Tensor

from azeotrope.errors import RunFailed
from azeotrope.kinds._kind import Kind
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.teacher.heads.pixels import SIDE

STANDARD_ERRORS = 3.0  # of the mean difference: one who knows nothing passes once in 740 times
BELOW_PIXELS = 2.5  # standard errors: one who knows as much as the pixels is refused once in 160 times (docs/log.md)


def check(
    name: str, outputs: Float[Tensor, "n C"], labels: Shaped[Tensor, n * label], kind: Kind = SINGLE, seen: str = ""
) -> None:
    """Raise RunFailed when the log-loss of these outputs is not below that of the shares, paired over the images.

    The head that gave an image's outputs must not have been fitted on its label. `seen` says in words which images
    these are.
    """
    shares = kind.losses(kind.shares(labels).expand(len(labels), -1), labels).double()
    teacher = kind.losses(outputs, labels).double()
    margin = STANDARD_ERRORS * _standard_error(shares - teacher)
    if (shares - teacher).mean().item() > margin:
        return
    raise RunFailed(
        f"The teacher {name} is not shown to know more than chance about these images",
        found=f"log-loss {teacher.mean().item():.3f} on {len(labels)} {seen or 'images that its head has not seen'}",
        allowed=f"below {shares.mean().item() - margin:.3f}: that of {kind.knowing_nothing}, "
        f"{shares.mean().item():.3f}, less {STANDARD_ERRORS:g} standard errors of the difference",
        next_step="take a teacher trained on similar images, a larger --teacher-size, or more labelled images",
    )


def check_against_pixels(name: str, teacher: Float[Tensor, " n"], pixels: Float[Tensor, " n"]) -> None:
    """Raise RunFailed when the teacher's log-losses of these images are above those of the pixels by more than chance,
    paired over the images (`pixels.pixel_losses`).
    """
    margin = BELOW_PIXELS * _standard_error(teacher.double() - pixels.double())
    known, said = pixels.double().mean().item(), teacher.double().mean().item()
    if said <= known + margin:
        return
    raise RunFailed(
        f"The teacher {name} knows less of these images than their bare pixels do",
        found=f"log-loss {said:.3f} on {len(teacher)} images, of a head that has not seen them; a linear model of "
        f"{SIDE} x {SIDE} pixels has {known:.3f}",
        allowed=f"at most {known + margin:.3f}: that of the pixels, and {BELOW_PIXELS:g} standard errors of the "
        "difference",
        next_step="take a teacher trained on similar images, a larger --teacher-size, or insist with --weak-teacher",
    )


def _standard_error(differences: Float[Tensor, " n"]) -> float:
    """Of their mean; infinite for a single one."""
    return differences.std(correction=1).item() / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
