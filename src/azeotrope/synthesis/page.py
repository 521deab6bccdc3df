"""The page that shows what was kept and what was refused: one HTML file without network or script.

Class names, prompts and file names are strangers' words: everything passes through jinja2's escaping.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from PIL import Image

from azeotrope.data.unlabelled import UNREADABLE
from azeotrope.synthesis import provenance
from azeotrope.synthesis.spec import SynthPlan

PAGE = "pictures.html"
SHOWN = 48  # of the kept, and of the refused
_PIXELS = 112


def page(
    folder: Path,
    plan: SynthPlan,
    rows: pl.DataFrame,
    seconds: Mapping[str, float],
    warnings: Sequence[str] = (),
) -> str:
    """The page as HTML; pictures are read from `folder` and put inside."""
    loader = jinja2.PackageLoader("azeotrope.synthesis", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    kept, refused = rows.filter(pl.col("kept")), rows.filter(~pl.col("kept"))
    seen = refused.filter(pl.col("reason") != UNREADABLE)
    counts = refused.group_by("reason").len().sort("len", descending=True)
    return environment.get_template("pictures.html.jinja").render(
        plan=plan,
        made=rows.height,
        kept=kept.height,
        made_by=_made_by(rows),
        warnings=warnings,
        reasons=dict(zip(counts["reason"].to_list(), counts["len"].to_list(), strict=True)),
        classes=_by_class(rows),
        galleries=[("Kept", "kept", _gallery(folder, kept)), ("Refused", "refused", _gallery(folder, seen))],
        table=provenance.FILE,
        seconds=seconds,
    )


def _made_by(rows: pl.DataFrame) -> str:
    """Every generator of the pictures: a set may have grown with another revision."""
    found = rows.select("generator", "revision").unique(maintain_order=True).rows()
    return ", ".join(f"{name} at {revision}" if revision else name for name, revision in found)


def _by_class(rows: pl.DataFrame) -> list[dict[str, Any]]:
    summed = rows.group_by("label").agg(
        pl.col("class").first().alias("name"),
        pl.len().alias("made"),
        pl.col("kept").sum(),
        pl.col("agreement").mean(),
    )
    return summed.sort("label").to_dicts()


def _gallery(folder: Path, rows: pl.DataFrame) -> list[dict[str, str]]:
    """Pictures spread over the rows, so that every class has some."""
    spread = rows.sort("label", "index").gather_every(max(1, -(-rows.height // SHOWN)))
    return [
        {
            "image": _data_uri(folder / row["file"]),
            "name": row["class"],
            "said": f"{row['reason']}: seen as {row['seen_as']}, agreement {row['agreement']:.2f}"
            if row["reason"]
            else f"agreement {row['agreement']:.2f}",
        }
        for row in spread.to_dicts()
    ]


def _data_uri(file: Path) -> str:
    buffer = io.BytesIO()
    with Image.open(file) as picture:
        picture.thumbnail((_PIXELS, _PIXELS))
        picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
