"""Seeds until decided: when to look, and how sure each look must be so that all looks together are wrong in 5 %.

Looking again and again at 95 % finds something in equal arms far too often. Each look here is at one stricter level, as
in Pocock 1977 (doi 10.1093/biomet/64.2.191). `benchmarks/verdict_stopping.py` measures what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from azeotrope.verdicts.verdict import LEVEL

LOOKS = (3, 5, 8, 12)
"""Paired seeds at which verdicts are looked at; the last is the limit."""
LEVEL_OF_A_LOOK = 0.984
"""Level of every look. Pocock's for four looks is 0.982; t intervals from three seeds on need a little more."""


def level_of(looks: Sequence[int]) -> float:
    """The level of the verdicts: the usual one where the number of seeds was fixed before."""
    return LEVEL_OF_A_LOOK if looks else LEVEL


def next_look(open_verdicts: int, seeds: int) -> int | None:
    """The number of seeds in all at which to look next; None when every verdict is decided, or at the limit."""
    return next((look for look in LOOKS if look > seeds), None) if open_verdicts else None
