"""What makes a training worthless, told with the way out: losses that are not finite, steps that are not taken."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from azeotrope.errors import RunFailed

ENOUGH_STEPS = 100  # after so many it is told that most are left out; a shorter training waits for its end


def require_finite(
    values: Float[Tensor, "steps losses"], names: Sequence[str], first_step: int, learning_rate: float
) -> None:
    """Raises RunFailed, naming step and losses, where a value is not finite."""
    bad = ~torch.isfinite(values)
    if not bad.any():
        return
    step = int(bad.any(dim=1).nonzero()[0])
    found = [name for name, is_bad in zip(names, bad[step], strict=True) if is_bad]
    raise RunFailed(
        f"The loss is not finite at step {first_step + step + 1}",
        found=f"{', '.join(found)} at learning rate {learning_rate:g}",
        next_step="take a smaller learning rate, or --precision fp32",
    )


def require_taken_steps(skipped: int, done: int, steps: int, learning_rate: float) -> None:
    """Raises RunFailed where most of the steps that are done were left out; `steps` are those of the whole training."""
    if done < min(steps, ENOUGH_STEPS) or skipped <= done / 2:
        return
    raise RunFailed(
        "Most steps were left out, because their gradients overflow float16",
        found=f"{skipped} of {done} steps at learning rate {learning_rate:g}",
        allowed="half of them: the first few always overflow, until their scale is found",
        next_step="take --precision bf16 where the card multiplies it, else fp32; or train more steps",
    )
