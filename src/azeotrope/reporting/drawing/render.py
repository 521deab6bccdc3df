"""Turns a chart into a file or a string: SVG and PNG by vl-convert, in this process, without a browser or the network.

It decides nothing about content; every chart of the program passes through here so that all wear one theme.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import altair as alt
import vl_convert

from azeotrope.errors import InputError
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.reporting.drawing.theme import NAME

Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart | alt.HConcatChart | alt.VConcatChart | alt.ConcatChart

_PNG_SCALE = 2.0  # sharp on a dense screen and in print
_VERSION = "_".join(alt.SCHEMA_VERSION.split(".")[:2])
"""The Vega-Lite that this altair writes."""
_MARK = re.compile(r'<(path|line|rect)( aria-label="([^"]*)" role="graphics-symbol"[^>]*)/>')
_ID = re.compile(r'(\bid="|url\(#|href="#)')


def svg(chart: Chart) -> str:
    """The chart as SVG text.

    Identifiers carry a hash of the picture: Vega numbers clip paths from 0 in every chart, and two charts
    inlined in one page would otherwise cut each other. What a mark says of itself (its `description`) is also its
    tooltip, which a browser shows without a script. The chart is not held against the schema of Vega-Lite, which is a
    quarter of the time; our tests do that.
    """
    with alt.theme.enable(NAME):
        content = chart.to_dict(validate=False, context={"pre_transform": False})
    text: str = vl_convert.vegalite_to_svg(content, vl_version=_VERSION)
    text = _MARK.sub(r"<\1\2><title>\3</title></\1>", text)
    prefix = "f" + hashlib.sha256(text.encode()).hexdigest()[:8] + "-"
    return _ID.sub(lambda match: match.group(0) + prefix, text)


def png(chart: Chart) -> bytes:
    """The chart as a PNG at twice its nominal size."""
    with alt.theme.enable(NAME), io.BytesIO() as buffer:
        chart.save(buffer, format="png", scale_factor=_PNG_SCALE)
        return buffer.getvalue()


def html(chart: Chart) -> str:
    """The chart as one page with Vega inside it, so that it opens without a network."""
    with alt.theme.enable(NAME), io.StringIO() as buffer:
        chart.save(buffer, format="html", inline=True)
        return buffer.getvalue()


def save(chart: Chart, path: str | Path) -> Path:
    """Write the chart; the extension chooses the format. Returns the path.

    Raises InputError for an extension other than .svg, .png or .html, StoreError when the file cannot be written.
    """
    drawing: dict[str, Callable[[Chart], str | bytes]] = {"svg": svg, "png": png, "html": html}
    path = Path(path)
    extension = path.suffix.lower().removeprefix(".")
    if extension not in drawing:
        raise InputError(
            "A figure's format is chosen by its file's extension",
            found=f"{path.suffix!r} in {path.name}" if path.suffix else f"no extension in {path.name}",
            allowed=", ".join(f".{name}" for name in drawing),
            next_step=f"for example {path.with_suffix('.svg').name}",
        )
    try:
        write_atomically(path, drawing[extension](chart))
    except OSError as error:
        raise cannot_write(path, error) from error
    return path
