"""A teacher must know something before it teaches.

The gate asks for knowledge in probabilities, not for accuracy: the log-loss on labels that the head has not seen must
be below that of the class shares. It refuses an untrained head and a backbone that knows nothing of such images, and
lets a useful teacher pass where one class is above half or images are few. It does not refuse a teacher below the
student: such a teacher can still help, so it is shown beside the student instead.
"""

from __future__ import annotations

import math

from jaxtyping import Float, Shaped
from torch import Tensor

from azeotrope.errors import RunFailed
from azeotrope.kinds._kind import Kind
from azeotrope.kinds.single import KIND as SINGLE

STANDARD_ERRORS = 3.0  # of the mean difference: one who knows nothing passes once in 740 times


def check(
    name: str, outputs: Float[Tensor, "n C"], labels: Shaped[Tensor, n * label], kind: Kind = SINGLE, seen: str = ""
) -> None:
    """Raise RunFailed when the log-loss of these outputs is not below that of the shares, paired over the images.

    The head that gave an image's outputs must not have been fitted on its label. `seen` says in words which images
    these are.
    """
    shares = kind.losses(kind.shares(labels).expand(len(labels), -1), labels).double()
    teacher = kind.losses(outputs, labels).double()
    gain = shares - teacher
    margin = STANDARD_ERRORS * gain.std(correction=1).item() / math.sqrt(len(gain)) if len(gain) > 1 else math.inf
    if gain.mean().item() > margin:
        return
    raise RunFailed(
        f"The teacher {name} is near chance on these images",
        found=f"log-loss {teacher.mean().item():.3f} on {len(labels)} {seen or 'images that its head has not seen'}",
        allowed=f"below {shares.mean().item() - margin:.3f}: that of {kind.knowing_nothing}, "
        f"{shares.mean().item():.3f}, less {STANDARD_ERRORS:g} standard errors of the difference",
        next_step="take a teacher trained on similar images, a larger --teacher-size, or more labelled images",
    )
