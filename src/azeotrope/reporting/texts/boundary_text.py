"""A boundary in words and tables, and as the JSON document of `azeotrope boundary --json`."""

from __future__ import annotations

import math
from dataclasses import asdict

from pydantic import JsonValue
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from azeotrope.boundaries.boundary import Boundary, Crossing
from azeotrope.boundaries.confidence_set import Piece
from azeotrope.boundaries.outcome import SURE
from azeotrope.record.interval import Interval
from azeotrope.record.probability import probability
from azeotrope.record.result import SCHEMA
from azeotrope.reporting.drawing.difference import points, unit_name
from azeotrope.reporting.plain import plain
from azeotrope.reporting.words import axis_name

_SHORT = {"train_images": "images", "pretrain_images": "upstream"}
"""Titles that leave room: the table fits 80 characters."""
SHOWN = 0.005
"""Times the images below which a lower bound says nothing."""


def document(found: Boundary) -> dict[str, JsonValue]:
    """The boundary's fields; a bound at infinity is null, for JSON has no infinity."""
    content = plain(asdict(found))
    assert isinstance(content, dict)
    return {"schema": SCHEMA, **content}


def headline(found: Boundary) -> str:
    """The outcome in one sentence."""
    a, b, seen = (
        found.challenger,
        found.baseline,
        f"{found.smallest:,.0f} to {found.largest:,.0f} {axis_name(found.axis)}",
    )
    match found.outcome:
        case "distill_always":
            return f"{_better(found, a, b)} throughout {seen}; no crossing there."
        case "distill_never":
            return f"{_better(found, b, a)} throughout {seen}; no crossing there."
        case "practically_equal":
            equal = f"practically equal, within {points(found) * found.practical:.2g} {unit_name(found)}"
            return f"The gap vanishes: {a} and {b} are {equal}, near {found.largest:,.0f} {axis_name(found.axis)}."
        case "undetermined":
            return f"These runs do not settle whether {a} or {b} is better throughout {seen}, or where they cross."
        case "window":
            return (
                f"{a} and {b} swap places twice: {' and '.join(map(_place, found.crossings))} {axis_name(found.axis)}."
            )
    below, above = (a, b) if found.crossings[0].direction == "down" else (b, a)
    return (
        f"{below} is better below, {above} above: they cross at {_place(found.crossings[0])} {axis_name(found.axis)}."
    )


def _better(found: Boundary, winner: str, other: str) -> str:
    """Says where the other may be ahead by less than what counts."""
    curve, ahead = found.curve, winner == found.challenger
    sure = all(
        (p if ahead else 1 - p) >= SURE
        for size, p in zip(curve.sizes, curve.p_win, strict=True)
        if found.smallest <= size <= found.largest
    )
    return f"{winner} is better than {other}" if sure else f"{winner} is better than {other}, or practically as good,"


def text(found: Boundary) -> RenderableType:
    """Who wins at each size first, then the crossing, the law-free check, the next run and the warnings."""
    parts: list[RenderableType] = [Text(headline(found), style="bold"), Text(), _sizes(found), Text()]
    parts.append(
        Text(
            f"p: probability that {found.challenger} is better. regret: {unit_name(found)} lost on average by choosing "
            f"it. other: by choosing {found.baseline}. worth: how many images for {found.baseline} 1 image for "
            f"{found.challenger} is worth. Intervals are 90 %.",
            style="dim",
        )
    )
    parts.append(Text(f"Not settled (0.05 < p < 0.95): {_pieces(found)}"))
    if found.next_runs:
        run = found.next_runs[0]
        parts.append(
            Text(
                f"Next run: one more seed of both arms at {run.size:,.0f} {axis_name(found.axis)}; "
                f"it would remove {run.variance_removed:.0%} of what is uncertain."
            )
        )
    parts += [Text(note, style="dim") for note in found.notes]
    parts += [Text(f"warning: {warning}", style="yellow") for warning in found.warnings]
    return Group(*parts)


def _sizes(found: Boundary) -> Table:
    scale = points(found)
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for title in (
        _SHORT.get(found.axis, axis_name(found.axis)),
        "p",
        f"{unit_name(found)} better",
        "regret",
        "other",
        "worth",
    ):
        grid.add_column(Text(title), justify="right", no_wrap=True)
    for win, regret, worth in zip(found.p_win, found.regret, found.effective_data, strict=True):
        d = win.difference
        cells = (
            f"{win.at:,.0f}",
            probability(win.p),
            f"{scale * d.value:+.2f} ({scale * d.low:+.2f} to {scale * d.high:+.2f})",
            f"{scale * regret.challenger:.2f}",
            f"{scale * regret.baseline:.2f}",
            _times(worth.times),
        )
        grid.add_row(*map(Text, cells))
    return grid


def says_nothing(times: Interval) -> bool:
    """Whether one image may be worth next to none, or any number."""
    return math.isinf(times.high) and times.low < SHOWN


def _times(times: Interval) -> str:
    """As how many times the images: 1.80x (1.51 to 2.23), or at least 2.10x where the other arm may never get there."""
    if says_nothing(times):
        return "not known"
    if math.isinf(times.high):
        return f"over {_factor(times.low)}x" if math.isfinite(times.low) else "the other never"
    return f"{_factor(times.value)}x ({_factor(times.low)} to {_factor(times.high)})"


def _factor(times: float) -> str:
    """Two decimals, or three digits from ten on: the table fits 80 characters."""
    return f"{times:.2f}" if times < 9.995 else f"{float(f'{times:.3g}'):,.4g}"


def _place(crossing: Crossing) -> str:
    low, high = ("?" if end is None else f"{_size(end)}" for end in (crossing.low, crossing.high))
    if crossing.value is not None:
        return f"{_size(crossing.value)} ({low} to {high})"
    if crossing.low is None and crossing.high is None:
        return "a size that these runs do not bound, of"
    return f"more than {low}" if crossing.high is None else f"less than {high}"


def _pieces(found: Boundary) -> str:
    return "; ".join(map(_piece, found.confidence_set)) or "nowhere"


def _piece(piece: Piece) -> str:
    if piece.low is None:
        return "everywhere" if piece.high is None else f"up to {_size(piece.high)}"
    return f"{_size(piece.low)} and beyond" if piece.high is None else f"{_size(piece.low)} to {_size(piece.high)}"


def _size(size: float) -> str:
    """Three digits, without an exponent: a crossing is not known better."""
    return f"{float(f'{size:.3g}'):,.0f}"
