"""What the answers have in common when a notebook shows them."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console, RenderableType

from azeotrope.reporting.drawing import render

_WIDTH = 80
_PAGE = '<pre style="line-height:1.3;white-space:pre;overflow-x:auto">{code}</pre>'


def drawn(chart: render.Chart, path: str | Path | None) -> render.Chart:
    """The chart, saved where a path is given."""
    if path is not None:
        render.save(chart, path)
    return chart


def page(text: RenderableType, chart: render.Chart | None = None, width: int = _WIDTH) -> str:
    """The text as HTML, names and labels escaped, with the figure below."""
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(text)
    said = console.export_html(inline_styles=True, code_format=_PAGE)
    return said if chart is None else f"{said}<div>{render.svg(chart)}</div>"
