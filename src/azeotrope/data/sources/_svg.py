"""Draws an SVG as a square PNG with `vl-convert`, which the figures of a report need anyway."""

from __future__ import annotations

import io
import re

import vl_convert
from PIL import Image

_VIEW = re.compile(r'viewBox="\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)')


def png(svg: str, side: int) -> bytes:
    """The drawing, `side` pixels wide and high and transparent where nothing is drawn; one that is not square stands in
    the middle.

    Raises ValueError for a text without a viewBox.
    """
    view = _VIEW.search(svg)
    if view is None:
        raise ValueError("an SVG without a viewBox has no size")
    content: bytes = vl_convert.svg_to_png(svg, scale=side / max(float(view[1]), float(view[2])))
    image = Image.open(io.BytesIO(content))
    return content if image.size == (side, side) else _centred(image, side)


def _centred(image: Image.Image, side: int) -> bytes:
    square = Image.new("RGBA", (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    written = io.BytesIO()
    square.save(written, "PNG")
    return written.getvalue()
