"""Advice in words and tables, and as the JSON document of `azeotrope advise --json`.

Numbers in brackets stand for contenders; the last table lists the runs behind each, so that every number can be traced.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import pairwise

from pydantic import JsonValue
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from azeotrope.advice.answer import Advice, LabelsNeeded, Recommendation, WorthInImages
from azeotrope.advice.needs.price import Cost
from azeotrope.record.interval import Interval
from azeotrope.record.probability import probability
from azeotrope.record.result import SCHEMA
from azeotrope.reporting.plain import plain
from azeotrope.reporting.texts.boundary_text import says_nothing
from azeotrope.reporting.words import MISSING, count, duration, plural
from azeotrope.tables.columns import LINE
from azeotrope.tables.units import Unit, amount, ends, gap

RANKED_ON_TEST = (
    "Contenders are ranked on the test errors of these runs, so the error of the one that leads is a little low; "
    "to know it, test the trained model on images that no run was tested on."
)

MOST_IDS = 60
"""Ids of runs that are listed for a contender."""


def document(advice: Advice) -> dict[str, JsonValue]:
    """The advice's fields; a bound at infinity is null, for JSON has no infinity."""
    content = plain(asdict(advice))
    assert isinstance(content, dict)
    return {"schema": SCHEMA, **content}


def text(advice: Advice) -> RenderableType:
    """The recommendation in one sentence first, then its numbers, what would change it, and the runs behind all."""
    marks = {row.contender: place for place, row in enumerate(advice.evidence.contenders, 1)}
    parts: list[RenderableType] = [Text(advice.recommendation.sentence, style="bold"), Text()]
    if advice.predicted_error is not None:
        parts += [_facts(advice, marks), Text()]
    if advice.recommendation.settled_by:
        parts += [Text(settling_title(advice.recommendation), style="bold"), *_bullets(_settling(advice)), Text()]
    if advice.labels_needed:
        target, noun = advice.labels_needed[0].target, advice.labels_needed[0].counted.capitalize()
        said = f"{target:.3g}" if advice.evidence.unit == "loss" else f"{100 * target:.3g} %"
        title = f"{noun} needed for {said} {advice.evidence.measure}, 90 % of what is likely"
        parts += [Text(title, style="bold")]
        parts += [*_bullets(_labels(item, marks) for item in advice.labels_needed), Text()]
    if advice.worth_in_images:
        at = f"{advice.worth_in_images[0].at:,.0f}"
        parts += [Text(f"Worth in training images, at {at}, with 90 % intervals", style="bold")]
        parts += [*_bullets(_worth(item, marks) for item in advice.worth_in_images), Text()]
    parts += [Text("What would change the answer", style="bold")]
    parts += _bullets([change.sentence for change in advice.would_change_if] or ["nothing that these runs show"])
    parts += [Text(), Text("Not tested", style="bold")]
    parts += _bullets([f"{gap.what}: {gap.reason}" for gap in advice.not_tested] or ["nothing that is usual"])
    parts += [Text(), Text("Evidence", style="bold"), _evidence(advice), *_run_ids(advice)]
    parts += [Text(f"warning: {warning}", style="yellow") for warning in advice.evidence.warnings]
    if len(advice.evidence.contenders) > 1:
        parts.append(Text(RANKED_ON_TEST, style="dim"))
    parts += [Text(note, style="dim") for note in advice.evidence.notes]
    return Group(*parts)


def _facts(advice: Advice, marks: dict[str, int]) -> Table:
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, said in _rows(advice, marks):
        grid.add_row(Text(label, style="dim"), Text(said))
    return grid


def _rows(advice: Advice, marks: dict[str, int]) -> Iterable[tuple[str, str]]:
    error, p_win, rival = advice.predicted_error, advice.p_win, advice.runner_up
    assert error is not None
    unit = advice.evidence.unit
    leads = "" if advice.recommendation.contender else f" (of {error.contender}, which leads)"
    yield (
        f"{advice.evidence.measure}, 90 %",
        f"{errors(error.error, unit)} at {error.at:,.0f} training images{leads} {_mark(marks, error.contender)}",
    )
    if p_win is not None and p_win.against is not None:
        near = f"within {gap(p_win.practical, unit)} of the lowest {probability(p_win.p_near_best)}"
        yield (
            "probability",
            f"better than {p_win.against} {_p(p_win.p)}, best of all {probability(p_win.p_best)}, {near} "
            f"{_mark(marks)}",
        )
    cost = _cost(advice.cost) if advice.cost else "not known: these runs hold no seconds"
    yield "cost of a run", f"{cost} {_mark(marks, error.contender)}"
    if rival is not None:
        margin = f"{_margin(rival.margin, unit)} behind"
        paid = f", {_cost(rival.cost)}" if rival.cost else ""
        both = _mark(marks, rival.contender, error.contender)
        yield "runner-up", f"{rival.contender}: {errors(rival.error, unit)}, {margin}{paid} {both}"


def _p(p: float | None) -> str:
    return MISSING if p is None else probability(p)


def _mark(marks: dict[str, int], *names: str) -> str:
    """Like "[1, 3]"; all contenders when none is named."""
    places = sorted(marks[name] for name in names) if names else [1, *([len(marks)] if len(marks) > 1 else [])]
    return f"[{('–' if not names else ', ').join(map(str, places))}]"


def errors(interval: Interval, unit: Unit) -> str:
    """Like "9.9 % (9.4 to 10.3)", or "0.352 (0.340 to 0.364)" of a loss."""
    return f"{amount(interval.value, unit)} ({ends(interval.low, interval.high, unit)})"


def points(margin: Interval) -> str:
    """A difference of errors in points, like "0.6 (0.2 to 1.0)"."""
    value, low, high = (f"{round(100 * share, 1) + 0.0:.1f}" for share in (margin.value, margin.low, margin.high))
    return f"{value} ({low} to {high})"  # + 0.0 takes the sign off a zero


def _margin(margin: Interval, unit: Unit) -> str:
    if unit == "loss":
        return f"{margin.value:.3f} ({ends(margin.low, margin.high, unit)})"
    return f"{points(margin)} points"


def _cost(cost: Cost) -> str:
    seconds = cost.seconds
    said = duration(seconds.value)
    if seconds.high > seconds.low:
        said += f" ({duration(seconds.low)} to {duration(seconds.high)})"
    if abs(cost.seconds_alone - seconds.value) > 0.01 * seconds.value:
        said += f", {duration(cost.seconds_alone)} with the teacher paid in full"
    if cost.money is not None:
        said += f", {cost.money.value:.2g} in money at {cost.hourly_price:g} an hour"
    if cost.pretraining_seconds is not None:
        said += f"; pre-training its published weights here would take {duration(cost.pretraining_seconds)} more"
    return said + (" (extrapolated)" if cost.extrapolated else "")


def settling_title(recommendation: Recommendation) -> str:
    """What the runs of a refusal are: those that are lacking, or those that would take away most of the doubt."""
    ranked = any(run.variance_removed is not None for run in recommendation.settled_by)
    return "What would tell most, best first" if ranked else "What would settle it"


def _settling(advice: Advice) -> Iterable[str]:
    for run in advice.recommendation.settled_by:
        who = f"{plural(run.seeds, 'paired seed')} of {', '.join(run.contenders)} at {run.train_images:,.0f} images"
        removes = "" if run.variance_removed is None else f" (removes {run.variance_removed:.0%} of what is uncertain)"
        yield who + removes


def _labels(item: LabelsNeeded, marks: dict[str, int]) -> str:
    if item.p_never > 0.95:
        said = "never, as far as these runs tell"
    else:
        ends = _ends(item.images)
        said = f"{_size(item.value)} ({ends})" if item.value else ends
        if item.p_never > 0:
            said += f"; never with probability {probability(item.p_never)}"
    if item.p_reachable is not None:
        said += f"; what is reachable suffices with probability {probability(item.p_reachable)}"
    return f"{item.contender}: {said} {_mark(marks, item.contender)}"


def _worth(item: WorthInImages, marks: dict[str, int]) -> str:
    mark = _mark(marks, item.challenger, item.baseline)
    times = item.times
    if says_nothing(times):
        return f"{item.of}: what {item.challenger} is worth in images of {item.baseline} is not known {mark}"
    high = f"to {times.high:.3g}" if math.isfinite(times.high) else "or more"
    middle = f"{times.value:.3g} " if item.value is not None else ""
    return (
        f"{item.of}: 1 image for {item.challenger} is worth {middle}({times.low:.3g} {high}) images for "
        f"{item.baseline} {mark}"
    )


def _ends(images: Interval) -> str:
    return (
        f"{_size(images.low)} to {_size(images.high)}" if math.isfinite(images.high) else f"{_size(images.low)} or more"
    )


def _size(images: float) -> str:
    return f"{float(f'{images:.3g}'):,.0f}"


def _bullets(lines: Iterable[str]) -> list[RenderableType]:
    return [Padding(Text(f"· {line}"), (0, 0, 0, 2)) for line in lines]


def _evidence(advice: Advice) -> Table:
    """Fits 80 characters; the last column is sizes x seeds."""
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("", justify="right", no_wrap=True)
    grid.add_column("contender")
    for title in (f"{advice.evidence.measure}, 90 %", "best", "a run", "parameters", "runs"):
        grid.add_column(title, justify="right", no_wrap=True)
    for place, row in enumerate(advice.evidence.contenders, 1):
        name = f"{row.contender} (left out: {row.excluded})" if row.excluded else row.contender
        cells = (
            f"[{place}]",
            name,
            errors(row.error, advice.evidence.unit) if row.error else MISSING,
            probability(row.p_best) if row.p_best is not None else MISSING,
            duration(row.cost.seconds.value) if row.cost else MISSING,
            count(row.parameters),
            f"{len(row.sizes)} x {row.seeds}",
        )
        grid.add_row(*map(Text, cells))
    return grid


def _run_ids(advice: Advice) -> list[RenderableType]:
    return [
        Text(f"[{place}] {_first(short(row.run_ids))}", style="dim", overflow="fold")
        for place, row in enumerate(advice.evidence.contenders, 1)
    ]


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_IDS:,} more" if len(names) > MOST_IDS else ""
    return " ".join(names[:MOST_IDS]) + more


def short(run_ids: Sequence[str]) -> list[str]:
    """Ids cut to the fewest characters, eight or more, that keep these apart; of a table without ids, its lines."""
    if run_ids and all(run_id.startswith(LINE) for run_id in run_ids):
        return _lines(sorted(int(run_id.removeprefix(LINE)) for run_id in run_ids))
    longest = max(map(len, run_ids), default=0)
    for length in range(8, longest):
        if len({run_id[:length] for run_id in run_ids}) == len(set(run_ids)):
            return [run_id[:length] for run_id in run_ids]
    return list(run_ids)


def _lines(numbers: Sequence[int]) -> list[str]:
    """Lines of a table, those that follow each other as one: "lines 2 to 16"."""
    starts = [place for place, number in enumerate(numbers) if place == 0 or number > numbers[place - 1] + 1]
    spans = [(numbers[place], numbers[end - 1]) for place, end in pairwise([*starts, len(numbers)])]
    return [f"{LINE}{first}" if first == last else f"lines {first:,} to {last:,}" for first, last in spans]
