"""Draws the numbers of a comparison: errors with intervals, cost by phase, error against cost, error curves over sizes.

Every figure takes records of `numbers.py` and returns an altair chart; nothing is computed here but units. An arm
keeps its colour in all figures, and the reference is always grey.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import altair as alt

from azeotrope.record.kinds import words_of
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.drawing.scales import arm_colours, chart_of, hues
from azeotrope.reporting.numbers import ArmSummary, Comparison
from azeotrope.reporting.words import duration, percent, percent_interval, phase_name, plural

Row: TypeAlias = dict[str, str | float | int]

_PHASES = (
    "decode",
    "tune_teacher",
    "teacher",
    "head",
    "generate",
    "pretrain",
    "tuning",
    "compile",
    "train",
    "evaluate",
    "test",
)  # the order in which they happen
_ROW_HEIGHT = 36


def errors(comparison: Comparison) -> Chart:
    """Test error by arm: a dot is a seed, the bar the 95 % interval, the diamond the mean."""
    arms = _finished(comparison.arms)
    seeds: list[Row] = [row for arm in arms for row in _seed_rows(arm)]
    colour = _colour(_names(comparison), comparison.reference, legend=None)
    means, dots = (
        chart_of(rows).encode(y=_by_arm(arms), color=colour, description=alt.Description("said:N"))
        for rows in ([_error_row(arm) for arm in arms], seeds)
    )
    return alt.layer(
        means.mark_rule(strokeWidth=9, opacity=0.25, strokeCap="round").encode(
            x=_error_x("low", comparison), x2=alt.X2("high:Q")
        ),
        dots.mark_circle(size=40, opacity=0.75).encode(x=_error_x("error", comparison)),
        means.mark_point(shape="diamond", size=130, filled=True, opacity=1, stroke="white", strokeWidth=1.5).encode(
            x=_error_x("error", comparison)
        ),
    ).properties(
        height=_ROW_HEIGHT * len(arms),
        description="Test error by arm; dots are seeds, bars 95 % intervals, diamonds means",
    )


def seconds(comparison: Comparison) -> Chart:
    """Time a run by phase, stacked; beside it the same with shared phases divided among the runs that share them."""
    arms = _finished(comparison.arms)
    columns = {"each run pays alone": {arm.name: arm.seconds for arm in arms}}
    if any(arm.seconds != arm.seconds_amortised for arm in arms):
        columns["shared work divided"] = {arm.name: arm.seconds_amortised for arm in arms}
    present = [phase_name(phase) for phase in phases(comparison)]
    rows = [row for column, by_arm in columns.items() for row in _phase_rows(column, by_arm)]
    bars: alt.Chart = (
        chart_of(rows)
        .mark_bar(height=18)
        .encode(
            x=alt.X("seconds:Q", title="seconds a run", stack="zero"),
            y=_by_arm(arms),
            color=alt.Color(
                "phase:N",
                scale=alt.Scale(domain=present, range=hues(len(present))),
                legend=alt.Legend(title=None, orient="top", columns=6),
            ),
            order=alt.Order("place:Q"),
            description=alt.Description("said:N"),
        )
    )
    return bars.properties(
        width=560 // len(columns),
        height=_ROW_HEIGHT * len(arms),
        description="Seconds a run by arm and phase",
    ).facet(column=alt.Column("column:N", title=None, sort=list(columns), header=alt.Header(labelFontWeight=600)))


def error_against_cost(comparison: Comparison) -> Chart:
    """Test error with interval over the seconds of a run (shared work divided): left and low is good."""
    arms = [arm for arm in _finished(comparison.arms) if sum(arm.seconds_amortised.values()) > 0]
    rows = [_priced(_error_row(arm), sum(arm.seconds_amortised.values())) for arm in arms]
    base = chart_of(rows).encode(
        description=alt.Description("said:N"),
        x=alt.X("seconds:Q", title="seconds a run, shared work divided", scale=alt.Scale(zero=True)),
        color=_colour(
            _names(comparison), comparison.reference, legend=alt.Legend(title=None, orient="right", symbolOpacity=1)
        ),
    )
    return alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=_error_y("low", comparison), y2=alt.Y2("high:Q")),
        base.mark_circle(size=130, opacity=1, stroke="white", strokeWidth=1.5).encode(y=_error_y("error", comparison)),
    ).properties(width=440, height=260, description="Test error against seconds a run")


def curves(comparisons: Sequence[Comparison]) -> Chart:
    """Test error over training images, both axes logarithmic, one line an arm, bars are 95 % intervals."""
    rows: list[Row] = [
        _sized(_error_row(arm), comparison.train_images)
        for comparison in comparisons
        for arm in _finished(comparison.arms)
    ]
    names = list(dict.fromkeys(name for comparison in comparisons for name in _names(comparison)))
    sizes = sorted({comparison.train_images for comparison in comparisons})
    base = chart_of(rows).encode(
        description=alt.Description("said:N"),
        x=alt.X(
            "images:Q",
            title="training images",
            scale=alt.Scale(type="log", padding=20, nice=False),
            axis=alt.Axis(values=sizes, format=",d"),
        ),
        color=_colour(
            names, comparisons[0].reference, legend=alt.Legend(title=None, orient="top", columns=3, symbolOpacity=1)
        ),
    )
    ticks = _log_ticks([float(row[key]) for row in rows for key in ("low", "high")])
    return alt.layer(
        base.mark_rule(strokeWidth=5, opacity=0.22, strokeCap="round").encode(
            y=_error_y("low", comparisons[0], ticks), y2=alt.Y2("high:Q")
        ),
        base.mark_line(aria=False).encode(y=_error_y("error", comparisons[0], ticks)),
        base.mark_circle(size=80, opacity=1).encode(y=_error_y("error", comparisons[0], ticks)),
    ).properties(height=320, description="Test error over training images, by arm")


def error_title(comparison: Comparison) -> str:
    """What an axis of errors is called."""
    return f"{words_of(comparison.measure).error} on the test images (%)"


def phases(comparison: Comparison) -> list[str]:
    """The phases on which any finished arm spent time, in the order in which they happen."""
    return _ordered(phase for arm in _finished(comparison.arms) for phase, spent in arm.seconds.items() if spent > 0)


def _ordered(phases: Iterable[str]) -> list[str]:
    present = set(phases)
    return [phase for phase in _PHASES if phase in present] + sorted(present - set(_PHASES))


def _finished(arms: Sequence[ArmSummary]) -> list[ArmSummary]:
    return [arm for arm in arms if arm.test_error is not None]


def _names(comparison: Comparison) -> list[str]:
    return [arm.name for arm in _finished(comparison.arms)]


def _error_row(arm: ArmSummary) -> Row:
    """In per cent. An interval that says nothing is drawn as none."""
    error = arm.test_error
    assert error is not None, "only finished arms are drawn"
    low, high = (error.low, error.high) if error.known else (error.value, error.value)
    said = f"{arm.name}: {percent_interval(error)}, mean of {plural(len(arm.seeds), 'seed')}"
    return {"arm": arm.name, "error": 100 * error.value, "low": 100 * low, "high": 100 * high, "said": said}


def _seed_rows(arm: ArmSummary) -> list[Row]:
    """A dot for each seed; where every seed has one run, its id is told."""
    ids = dict(zip(arm.seeds, arm.run_ids, strict=True)) if len(arm.seeds) == len(arm.run_ids) else {}
    return [
        {
            "arm": arm.name,
            "error": 100 * error,
            "said": f"{arm.name}, seed {seed}: {percent(error)}" + (f", run {ids[seed]}" if seed in ids else ""),
        }
        for seed, error in arm.seed_errors.items()
    ]


def _priced(row: Row, seconds: float) -> Row:
    return {**row, "seconds": seconds, "said": f"{row['said']}, {duration(seconds)} a run"}


def _sized(row: Row, images: int) -> Row:
    return {**row, "images": images, "said": f"{row['said']}, {plural(images, 'training image')}"}


def _phase_rows(column: str, by_arm: Mapping[str, Mapping[str, float]]) -> list[Row]:
    return [
        {
            "column": column,
            "arm": arm,
            "phase": phase_name(phase),
            "place": place,
            "seconds": by_phase[phase],
            "said": f"{arm}, {phase_name(phase)}: {duration(by_phase[phase])}",
        }
        for arm, by_phase in by_arm.items()
        for place, phase in enumerate(_ordered(by_phase))
        if by_phase[phase] > 0
    ]


def _by_arm(arms: Sequence[ArmSummary]) -> alt.Y:
    order = [arm.name for arm in arms]
    return alt.Y("arm:N", title=None, sort=order, axis=alt.Axis(ticks=False, domain=False, grid=False))


def _colour(names: Sequence[str], reference: str, legend: alt.Legend | None) -> alt.Color:
    return alt.Color("arm:N", scale=arm_colours(names, reference), legend=legend)


def _error_x(field: str, comparison: Comparison) -> alt.X:
    return alt.X(f"{field}:Q", title=error_title(comparison), scale=alt.Scale(zero=False, padding=18))


def _error_y(field: str, comparison: Comparison, log_ticks: Sequence[float] = ()) -> alt.Y:
    """With ticks the axis is logarithmic, labelled there."""
    title = error_title(comparison)
    if log_ticks:
        scale = alt.Scale(type="log", padding=14, nice=False)
        return alt.Y(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(values=list(log_ticks), format="~g"))
    return alt.Y(f"{field}:Q", title=title, scale=alt.Scale(zero=False, padding=14))


def _log_ticks(values: Sequence[float]) -> list[float]:
    """Enough ticks for less than a decade; none when an error or bound is zero, which a logarithm cannot show."""
    low, high = min(values), max(values)
    if low <= 0:
        return []
    steps = (digit * 10.0**power for power in range(-3, 3) for digit in (1, 1.5, 2, 3, 4, 5, 7))
    return [step for step in steps if low <= step <= high]
