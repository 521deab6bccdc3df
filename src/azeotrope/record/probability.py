"""A probability in words: counted over a few thousand draws, it is never shown as 0 or 1."""

from __future__ import annotations


def probability(p: float) -> str:
    """Like "0.87"; "> 0.99" and "< 0.01" at the ends, where draws cannot tell more."""
    if p > 0.99:
        return "> 0.99"
    return "< 0.01" if p < 0.01 else f"{p:.2f}"
