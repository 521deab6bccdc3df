"""The arms as files for a device, as a terminal table beside that of the networks."""

from __future__ import annotations

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from azeotrope.reporting import words
from azeotrope.reporting.numbers import Comparison, DeployedArm, DeployedSummary
from azeotrope.reporting.texts import deployed_text

STYLE = {"BEATS": "green", "DOES NOT BEAT": "red", "INCONCLUSIVE": "yellow"}


def parts(found: DeployedSummary, comparison: Comparison) -> list[RenderableType]:
    """What is left of the verdicts, one row an arm, and which files there are not."""
    lines = [Text(f"no file: {line}", style="dim", overflow="fold") for line in deployed_text.missing(found)]
    return [Text(f"{deployed_text.ranking(found, comparison)}."), Text(), _grid(found, comparison), *lines, Text()]


def _grid(found: DeployedSummary, comparison: Comparison) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    grid.add_column(f"as {found.target}", overflow="fold", max_width=26)
    for title in (f"test {words.error_word(comparison)}", "points lost, 95 %", "time", "size", "int8"):
        grid.add_column(title, justify="right", no_wrap=True)
    grid.add_column(f"against {comparison.reference}", overflow="fold")
    for arm in found.arms:
        grid.add_row(*_cells(arm), _against(arm, found, comparison), style="bold" if arm.name == found.winner else "")
    return grid


def _cells(arm: DeployedArm) -> list[Text]:
    error = arm.test_error.value if arm.test_error else None
    cost = (deployed_text.milliseconds(arm.latency_ms), deployed_text.megabytes(arm.size_mb))
    said = (words.percent(error), deployed_text.lost(arm), *cost, deployed_text.int8(arm.int8_share))
    return [Text(text) for text in (arm.name, *said)]


def _against(arm: DeployedArm, found: DeployedSummary, comparison: Comparison) -> Text:
    if arm.name == comparison.reference:
        return Text("reference", style="dim")
    verdict = found.verdict(arm.name, comparison.reference)
    if verdict is None:
        return Text(words.MISSING)
    gain = f"{words.gain(verdict.difference)} " if verdict.difference else ""
    return Text(gain + verdict.verdict, style=STYLE[verdict.verdict])
