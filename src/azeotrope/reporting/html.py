"""The report: one HTML file that opens anywhere, with no network and no script.

It arranges what `numbers.py` holds and `figures.py` draws. Every text passes through jinja2's escaping, because class
names and paths come from strangers; only drawings made by `render.svg` are placed as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jinja2
import yaml
from markupsafe import Markup

import azeotrope
from azeotrope.reporting import figures, render, words
from azeotrope.reporting.numbers import Comparison, Document, NotTested


@dataclass(frozen=True)
class Section:
    """A further figure for the top of the page, e.g. a fitted law. `chart` is drawn in the report's theme."""

    title: str
    caption: str
    chart: render.Chart


class _Drawing(NamedTuple):
    title: str
    caption: str
    svg: Markup


def page(document: Document, sections: Sequence[Section] = ()) -> str:
    """The whole report as HTML. Comparisons keep their order; the facts at the top are the last one's."""
    comparisons = document.comparisons
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            document=document,
            lead=comparisons[-1],
            sizes=[(comparison, _drawings(comparison)) for comparison in comparisons],
            sizes_said=" · ".join(f"{size:,}" for size in sorted({item.train_images for item in comparisons})),
            students=len({item.student for item in comparisons}),
            overview=[
                *_curves(comparisons),
                *(_drawn(section.title, section.caption, section.chart) for section in sections),
            ],
            not_tested=_distinct(comparisons),
            plan=comparisons[-1].plan,
            phases=figures.phases,
            words=words,
            version=azeotrope.__version__,
        )
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("azeotrope.reporting", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["yaml"] = lambda content: yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return environment


def _unbroken(value: object) -> object:
    """Keep "19.6 %" and "[1.2, 2.6]" on one line; text that is already HTML passes as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return re.sub(r"(?<=\d) (?=%)|(?<=\d,) (?=−?\d+\.\d\])", "\u00a0", value)


def _drawings(comparison: Comparison) -> list[_Drawing]:
    """The figures of one size; without a finished arm there is nothing to draw."""
    finished = [arm for arm in comparison.arms if arm.test_error is not None]
    if not finished:
        return []
    drawings = [
        _drawn(
            "Error by arm",
            "A dot is a seed, the diamond their mean, the bar its 95 % interval. Further left is better.",
            figures.errors(comparison),
        )
    ]
    if any(words.total(arm.seconds_amortised) for arm in finished):
        drawings += [
            _drawn("Cost by phase", "Where the seconds of a run go.", figures.seconds(comparison)),
            _drawn(
                "Error against cost",
                "Lower is more accurate, further left is cheaper. Bars are 95 % intervals.",
                figures.error_against_cost(comparison),
            ),
        ]
    return drawings


def _curves(comparisons: Sequence[Comparison]) -> list[_Drawing]:
    """One figure for every task, student and teacher that was compared at several sizes."""
    families: dict[tuple[str, str, str], list[Comparison]] = {}
    for comparison in comparisons:
        teacher = comparison.teacher.name if comparison.teacher else ""
        families.setdefault((comparison.fingerprint, comparison.student, teacher), []).append(comparison)
    return [
        _drawn(
            "Error by number of training images",
            f"Student {student}. Both axes are logarithmic; bars are 95 % intervals. Lower is better.",
            figures.curves(family),
        )
        for (_, student, _), family in families.items()
        if len({item.train_images for item in family if item.winner is not None}) > 1
    ]


def _drawn(title: str, caption: str, chart: render.Chart) -> _Drawing:
    return _Drawing(title, caption, Markup(render.svg(chart)))  # our own drawing: Vega escapes its labels


def _distinct(comparisons: Sequence[Comparison]) -> list[NotTested]:
    return list(dict.fromkeys(item for comparison in comparisons for item in comparison.not_tested))
