"""The comparison as a terminal table that fits 100 columns, with the verdict in words above it."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from azeotrope.reporting import verdict_words, words
from azeotrope.reporting.numbers import ArmSummary, Comparison, VerdictSummary
from azeotrope.reporting.texts import deployed_table
from azeotrope.reporting.texts.deployed_table import STYLE

WIDTH = 100


def table(comparison: Comparison) -> RenderableType:
    """Headline, one row an arm, then what failed, what was left out and the warnings; `WIDTH` columns at most."""
    parts: list[RenderableType] = [
        Text(verdict_words.headline(comparison), style="bold"),
        Text(verdict_words.choice(comparison)),
    ]
    parts += [Text(), Text(words.basis(comparison), style="dim"), Text(), _grid(comparison), Text()]
    parts += [part for found in comparison.deployed for part in deployed_table.parts(found, comparison)]
    parts += [
        Text(f"{arm.name}: {said} on the test images")
        for arm in comparison.arms
        if (said := words.metrics(arm, comparison))
    ]
    parts += [Text(f"{arm.name}: {words.energy(arm.joules)} a run") for arm in comparison.arms if arm.joules]
    parts += [Text(line, style="dim") for line in words.faster_lines(comparison)]
    parts += [
        Text(f"failed: {run.arm}, seed {run.seed}: {run.reason}", style="red", overflow="fold")
        for run in comparison.failed
    ]
    parts += [Text(f"not tested: {item.arm}: {item.reason}", style="dim") for item in comparison.not_tested]
    parts += [Text(f"warning: {warning}", style="yellow") for warning in comparison.warnings]
    return Group(*parts)


def _grid(comparison: Comparison) -> Table:
    # rich reads [..] in plain strings as markup and would swallow intervals and class names: every cell is a Text.
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("arm", overflow="fold", max_width=29)
    error = words.error_word(comparison).replace(" ", "\n")  # lines of one word leave room for arms and verdicts
    grid.add_column(f"test {error}, 95 %", justify="right", no_wrap=True)
    grid.add_column(f"val {error}" if "\n" not in error else f"val\n{error}", justify="right", no_wrap=True)
    grid.add_column("seeds", justify="right", no_wrap=True)
    grid.add_column("time a run", justify="right", no_wrap=True)
    grid.add_column(f"points gained on {comparison.reference}", overflow="fold")
    for arm in comparison.arms:
        verdict = comparison.verdict(arm.name, comparison.reference)
        style = "bold" if arm.name == comparison.winner else ""
        grid.add_row(*_cells(arm), _against(arm, comparison, verdict), style=style)
    return grid


def _cells(arm: ArmSummary) -> list[Text]:
    return [
        Text(arm.name),
        Text(words.percent_interval(arm.test_error)),
        Text(words.percent(arm.val_error)),
        Text(str(len(arm.seeds))),
        Text(words.duration(words.total(arm.seconds))),
    ]


def _against(arm: ArmSummary, comparison: Comparison, verdict: VerdictSummary | None) -> Text:
    if arm.name == comparison.reference:
        return Text("reference", style="dim")
    if verdict is None:
        return Text(words.MISSING)
    gain = f"{words.gain(verdict.difference)} " if verdict.difference else ""
    return Text(gain + verdict.verdict, style=STYLE[verdict.verdict])
