"""What the record of a run says of an error of torch, which ends that run and no other."""

from __future__ import annotations

import torch

from azeotrope.errors import RunFailed, first_line


def reason(error: RuntimeError) -> str:
    """In a line; of a card that is full with the way out."""
    return str(_too_large(error)) if isinstance(error, torch.OutOfMemoryError) else first_line(error)


def _too_large(error: torch.OutOfMemoryError) -> RunFailed:
    return RunFailed(
        "The run does not fit into the memory of the card",
        found=str(error).strip().partition(". ")[0],
        next_step="give --accumulate 2 or more, which goes through each batch in parts with the same loss, "
        "or a smaller --batch-images",
    )
