"""A sum of losses as it is written."""

from __future__ import annotations

import math
from collections.abc import Mapping

from azeotrope.errors import InputError

Weight = float | tuple[float, float]  # of a loss: constant, or (first, last) and linear over the training in between


def parse_losses(text: str) -> dict[str, Weight]:
    """Read `kl+align_uniform=0.5+rkd=1..0`: losses with weights, 1 where none is given. Raises InputError."""
    losses: dict[str, Weight] = {}
    for part in text.split("+"):
        key, _, weight = part.strip().partition("=")
        try:
            losses[key.replace("-", "_")] = _parse_weight(weight) if weight else 1.0
        except ValueError:
            raise InputError(
                "A loss weight must be a number",
                found=part,
                allowed="loss, loss=WEIGHT or loss=FIRST..LAST, joined by '+'",
            ) from None
    return losses


def losses_text(losses: Mapping[str, Weight]) -> str:
    """Losses with their weights as `parse_losses` reads them; a weight of 1 is left out."""
    return "+".join(key if weight == 1 else f"{key}={weight_text(weight)}" for key, weight in losses.items())


def weight_text(weight: Weight) -> str:
    """`2`, or `1..0` for a weight that changes."""
    return f"{weight[0]:g}..{weight[1]:g}" if isinstance(weight, tuple) else f"{weight:g}"


def _parse_weight(text: str) -> Weight:
    first, dots, last = text.partition("..")
    return (float(first), float(last)) if dots else float(text)


def is_weight(weight: Weight) -> bool:
    """Whether it is finite and somewhere above 0."""
    ends = weight if isinstance(weight, tuple) else (weight,)
    return all(0 <= end < math.inf for end in ends) and max(ends) > 0
