"""Scales that several figures share: log axes of sizes with few labels, and one colour an arm on every page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import altair as alt

from azeotrope.reporting.drawing.theme import PALETTE, REFERENCE

_SHORT = 1e6
"""Above this many, ticks read 2M and not 2,000,000."""


def chart_of(rows: Iterable[Mapping[str, object]]) -> alt.Chart:
    """A chart of these rows. As a tuple they are not copied anew by every step that builds on the chart."""
    return alt.Chart(alt.InlineData(values=tuple(rows)))


def log_size(field: str, title: str, low: float, high: float) -> alt.X:
    """A log axis from `low` to `high`, labelled at 1, 2 and 5 only."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5) if low <= step * 10.0**decade <= high]
    axis = alt.Axis(values=ticks, format="~s" if high > _SHORT else ",")
    return alt.X(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(type="log", domain=[low, high]))


def arm_colours(names: Sequence[str], reference: str) -> alt.Scale:
    """Colours in the order of `names`; the reference is always grey and takes none of them."""
    others = iter(hues(len(names)))
    return alt.Scale(domain=list(names), range=[REFERENCE if name == reference else next(others) for name in names])


def hues(count: int) -> list[str]:
    """The first `count` colours, from the start again when they run out."""
    free = [colour for colour in PALETTE if colour != REFERENCE]
    return [free[place % len(free)] for place in range(count)]
