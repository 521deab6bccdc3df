"""A fit in words and tables, for the terminal. The JSON document is the record's own (`FitResult.to_json`)."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from azeotrope.fitting.result import FitResult, Forecast, GroupFit
from azeotrope.record.probability import probability
from azeotrope.reporting.words import MISSING, axis_name, count, percent

SAID = 0.01
"""Share of a forecast's variance below which no run is worth naming."""


def text(fitted: FitResult) -> RenderableType:
    """Every group: predictions first, then the laws, then what weakens them."""
    parts: list[RenderableType] = []
    for name, group in fitted.groups.items():
        parts += [Text(name, style="bold"), *_group(group, fitted), Text()]
    parts += [Text(note, style="dim") for note in fitted.notes]
    parts += [Text(f"warning: {warning}", style="yellow") for warning in fitted.warnings]
    return Group(*parts)


def _group(group: GroupFit, fitted: FitResult) -> list[RenderableType]:
    if group.refused:
        return [Text(f"refused: {group.refused}", style="yellow")]
    parts: list[RenderableType] = [_predictions(group, fitted), _laws(group)]
    if group.forecast:
        parts.append(Text(_forecast(group.forecast, fitted)))
    return [*parts, *(Text(f"warning: {warning}", style="yellow") for warning in group.warnings)]


def _predictions(group: GroupFit, fitted: FitResult) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for title in (axis_name(fitted.axes[-1]), fitted.measure, f"{fitted.level:.0%} interval", "of largest size"):
        grid.add_column(title, justify="right")
    for step in group.predictions:
        between = MISSING if step.low is None else f"{_error(step.low, fitted)} to {_error(step.high, fitted)}"
        grid.add_row(f"{step.at:,.0f}", _error(step.value, fitted), between, f"{step.reach:.3g} x")
    return grid


def _laws(group: GroupFit) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for title in ("law", "weight", "misfit", "hold-out", "parameters (? not identified)"):
        grid.add_column(title, justify="left" if title in ("law",) or title.startswith("param") else "right")
    for key, law in group.laws.items():
        shown = "  ".join(
            f"{name} {parameter.value:.3g}{'' if parameter.identified else '?'}"
            for name, parameter in law.parameters.items()
        )
        held = MISSING if law.hold_out is None else f"{law.hold_out:.3f}"
        grid.add_row(key, f"{law.weight:.0%}", f"{law.misfit:.3f}", held, shown)
    return grid


def _forecast(forecast: Forecast, fitted: FitResult) -> str:
    low, high = count(forecast.low), "no end" if forecast.high is None else count(forecast.high)
    value = "" if forecast.value is None else f" about {count(forecast.value)},"
    return (
        f"For {_error(forecast.target, fitted)}:{value} between {low} and {high} {axis_name(fitted.axes[-1])} (90 %); "
        f"never with probability {probability(forecast.p_never)}.{_next(forecast)}"
    )


def _next(forecast: Forecast) -> str:
    """The run to make next, where one would tell anything."""
    best = forecast.next_runs[0] if forecast.next_runs else None
    if best is None or best.variance_removed < SAID:
        return ""
    removed = f"it would remove {best.variance_removed:.0%} of what is uncertain"
    return f" Next run: one more seed at {count(best.size)}; {removed}."


def _error(value: float | None, fitted: FitResult) -> str:
    if value is None:
        return MISSING
    return f"{value:.4g}" if fitted.unit == "loss" else percent(value)
