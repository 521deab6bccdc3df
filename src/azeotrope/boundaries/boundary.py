"""Where two strategies swap places along an axis, and how sure that is.

The probability at the user's own size comes first, the crossing second; no crossing is a result too. Curves are
drawn in `draws`, signs read in `crossings`, the outcome named in `outcome`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from azeotrope.boundaries.confidence_set import LEVEL, TAIL, Piece, confidence_set
from azeotrope.boundaries.crossings import Direction, SignChanges, log_grid, sign_changes
from azeotrope.boundaries.images_needed import TRUSTED_REACH
from azeotrope.boundaries.law_free import SizeCheck, disagreements, form_free
from azeotrope.boundaries.next_runs import NextRun, Price, apart, by_size, settle_crossing
from azeotrope.boundaries.outcome import Outcome, decide
from azeotrope.boundaries.worth import EffectiveData, effective_data_at
from azeotrope.curves.cells import Floats, JointCells
from azeotrope.curves.joint_draws import Draws
from azeotrope.record.interval import Interval, quantile_interval
from azeotrope.record.result import Result
from azeotrope.tables.units import Unit

PRACTICAL = 0.005
"""Half a point of error: below it nobody would change strategy."""
_NOTHING = 1e-12
"""A difference that has a sign and no size."""


@dataclass(frozen=True)
class Win:
    """At size `at`: probability `p` that the challenger is better; the gain in error, with interval."""

    at: float
    p: float
    difference: Interval


@dataclass(frozen=True)
class Regret:
    """Expected loss of error at size `at` from choosing this arm when the other is better."""

    at: float
    challenger: float
    baseline: float


@dataclass(frozen=True)
class Crossing:
    """One change of sign. `down`: challenger ahead below, behind above. An end that is None is not bounded."""

    direction: Direction
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Mass:
    """Shares of the draws: one crossing `inside` the data, whatever lies beyond; else one `below` or `above` it, a
    `window` of several, or one arm ahead throughout.
    """

    below: float
    inside: float
    above: float
    window: float
    challenger_throughout: float
    baseline_throughout: float


@dataclass(frozen=True)
class Curve:
    """The difference (baseline minus challenger) over sizes with its 90 % band: what the figure draws."""

    sizes: tuple[float, ...]
    difference: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    p_win: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class Boundary(Result):
    """The answer. Differences below `practical` count as equal; `forms` holds the weight of each law drawn.

    All errors, differences and regrets are fractions, or in the unit of the loss when `unit` is "loss".
    """

    shown_as: ClassVar[str] = "boundary"

    axis: str
    challenger: str
    baseline: str
    outcome: Outcome
    p_win: tuple[Win, ...]
    regret: tuple[Regret, ...]
    confidence_set: tuple[Piece, ...]
    crossings: tuple[Crossing, ...]
    mass: Mass
    form_free: tuple[SizeCheck, ...]
    effective_data: tuple[EffectiveData, ...]
    next_runs: tuple[NextRun, ...]
    forms: dict[str, float]
    practical: float
    smallest: float
    largest: float
    curve: Curve
    unit: Unit = "fraction"
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def find_boundary(
    cells: JointCells,
    draws: Draws,
    axis: str,
    *,
    at: Sequence[float] = (),
    practical: float = PRACTICAL,
    unit: Unit = "fraction",
    price: Price = by_size,
) -> Boundary:
    """The boundary between the two arms of `cells`, challenger first; `at`: the user's own sizes, else the runs'.

    Errors, differences and `practical` are in the unit of the runs (fractions, or a loss).
    """
    grid = log_grid(cells.sizes)
    smallest, largest = float(cells.sizes[0]), float(cells.sizes[-1])
    difference = _difference(draws, grid, unit)
    changes = sign_changes(difference, grid)
    outcome = decide(difference, grid, smallest, largest, practical)
    asked = np.array(at or cells.sizes, dtype=float)
    at_asked, middle, checks = _difference(draws, asked, unit), _middle(draws, asked, unit), form_free(cells)
    seen = np.array([check.size for check in checks])
    p_at_checks = np.asarray((_difference(draws, seen, unit) > 0).mean(axis=0)) if checks else np.empty(0)
    ranked = settle_crossing(cells, draws, changes, main_direction(changes), price=price, at=float(asked[-1]))
    return Boundary(
        axis=axis,
        challenger=cells.arms[0],
        baseline=cells.arms[1],
        outcome=outcome,
        p_win=tuple(map(_win, asked, at_asked.T, middle)),
        regret=tuple(_regret(size, column) for size, column in zip(asked, at_asked.T, strict=True)),
        confidence_set=confidence_set((difference > 0).mean(axis=0), grid),
        crossings=_crossings(outcome, changes, difference, grid, smallest, largest),
        mass=_mass(changes, _within(difference, grid, smallest, largest), smallest, largest),
        form_free=checks,
        effective_data=effective_data_at(cells, draws, asked.tolist(), LEVEL),
        next_runs=apart(ranked),
        forms=draws.forms,
        practical=practical,
        smallest=smallest,
        largest=largest,
        curve=_curve(difference, _middle(draws, grid, unit), grid),
        unit=unit,
        warnings=(*disagreements(checks, p_at_checks), *_reach_warnings(asked, smallest, largest)),
    )


def _difference(draws: Draws, sizes: Floats, unit: Unit) -> Floats:
    """Baseline minus challenger, [R, g]; a draw that runs off counts as wrong on every image, not on more.

    Where both do, which one is ahead stays as drawn: a tie would count as a win of the baseline.
    """
    challenger, baseline = draws.errors(sizes)
    if unit == "loss":
        return np.asarray(baseline - challenger)
    bounded = np.minimum(baseline, 1.0) - np.minimum(challenger, 1.0)
    return np.asarray(np.where(bounded == 0, _NOTHING * np.sign(baseline - challenger), bounded))


def _middle(draws: Draws, sizes: Floats, unit: Unit) -> Floats:
    """Baseline minus challenger as the runs themselves give them, [g]."""
    challenger, baseline = draws.middle(sizes) if unit == "loss" else np.minimum(draws.middle(sizes), 1.0)
    return np.asarray(baseline - challenger)


def _win(size: float, difference: Floats, middle: float) -> Win:
    return Win(float(size), float((difference > 0).mean()), quantile_interval(float(middle), difference, LEVEL))


def _regret(size: float, difference: Floats) -> Regret:
    """Choosing the challenger costs what the baseline would have been better by, and the other way round."""
    return Regret(float(size), float(np.maximum(-difference, 0).mean()), float(np.maximum(difference, 0).mean()))


def main_direction(changes: SignChanges) -> Direction:
    """The direction in which most draws cross, of those that cross once."""
    return "down" if changes.single("down").sum() >= changes.single("up").sum() else "up"


def _crossings(
    outcome: Outcome, changes: SignChanges, difference: Floats, grid: Floats, smallest: float, largest: float
) -> tuple[Crossing, ...]:
    """The crossings that the outcome claims, and no others."""
    direction, within = main_direction(changes), _within(difference, grid, smallest, largest)
    if outcome == "crossing_bracketed":  # whatever else a draw may do beyond the data
        direction = main_direction(within)
        return (_crossing(direction, within.crossing(direction), smallest, largest),)
    if outcome == "crossing_extrapolated":
        return (_one_sided(direction, changes.crossing(direction), smallest, largest),)
    if outcome == "window":
        several = within.count > 1
        first: Direction = "down" if within.starts_ahead[several].mean() > 0.5 else "up"
        last: Direction = "up" if first == "down" else "down"
        return (
            _crossing(first, within.first[several], smallest, largest),
            _crossing(last, within.last[several], smallest, largest),
        )
    return ()


def _within(difference: Floats, grid: Floats, smallest: float, largest: float) -> SignChanges:
    """Sign changes inside the data."""
    inside = (grid >= smallest) & (grid <= largest)
    return sign_changes(difference[:, inside], grid[inside])


def _crossing(direction: Direction, places: Floats, smallest: float, largest: float) -> Crossing:
    """Median and 90 % interval of the drawn places [R]; draws of another shape (NaN) take no part."""
    low, value, high = np.quantile(places[~np.isnan(places)], [TAIL, 0.5, 1 - TAIL], method="nearest")
    return Crossing(direction, _known(value, largest), _known(low, np.inf), _known(high, np.inf))


def _one_sided(direction: Direction, places: Floats, smallest: float, largest: float) -> Crossing:
    """A crossing that the data do not hold between them has one bound, on the data's side, at 95 %."""
    drawn = places[~np.isnan(places)]
    if np.median(drawn) > np.sqrt(smallest * largest):
        return Crossing(direction, None, _known(np.quantile(drawn, TAIL, method="nearest"), np.inf), None)
    return Crossing(direction, None, None, _known(np.quantile(drawn, 1 - TAIL, method="nearest"), np.inf))


def _known(size: float, largest: float) -> float | None:
    """The size, or None when it is unbounded or further than 5 x the largest size."""
    return float(size) if 0 < size < np.inf and size <= TRUSTED_REACH * largest else None


def _mass(changes: SignChanges, within: SignChanges, smallest: float, largest: float) -> Mass:
    inside = within.count == 1
    single = (changes.count == 1) & ~inside
    middle = np.sqrt(smallest * largest)
    return Mass(
        below=float((single & (changes.first < middle)).mean()),
        inside=float(inside.mean()),
        above=float((single & (changes.first >= middle)).mean()),
        window=float(((changes.count > 1) & ~inside).mean()),
        challenger_throughout=float(changes.never(ahead=True).mean()),
        baseline_throughout=float(changes.never(ahead=False).mean()),
    )


def _curve(difference: Floats, middle: Floats, grid: Floats) -> Curve:
    low, high = np.quantile(difference, [TAIL, 1 - TAIL], axis=0)
    columns = (grid, middle, low, high, (difference > 0).mean(axis=0))
    return Curve(*(tuple(map(float, column)) for column in columns))


def _reach_warnings(asked: Floats, smallest: float, largest: float) -> tuple[str, ...]:
    far = [size for size in asked if size > TRUSTED_REACH * largest or size < smallest / TRUSTED_REACH]
    return tuple(
        f"{size:g} lies more than {TRUSTED_REACH:g} x outside the sizes seen: weigh it lightly" for size in far
    )
