"""The report: one HTML file that opens anywhere, without a network.

It arranges what `numbers.py` holds and `figures.py` draws. Every text passes through jinja2's escaping, because class
names and paths come from strangers; only drawings made by `render.svg` are placed as they are. The page's policy allows
one script, by its hash: `templates/sort.js`, which sorts tables. A reader without scripts loses nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jinja2
import yaml
from markupsafe import Markup, escape

import azeotrope
from azeotrope.diagnosis.confusion import MOST
from azeotrope.record.storage.training_curve import Curve
from azeotrope.reporting import verdict_words, words
from azeotrope.reporting.document import Document
from azeotrope.reporting.drawing import figures, render, trade_off, training_curves
from azeotrope.reporting.drawing.theme import DARK
from azeotrope.reporting.numbers import Comparison, NotTested
from azeotrope.reporting.page import class_page, diagnosis_page
from azeotrope.reporting.page.overall import Overall, overall
from azeotrope.reporting.page.part import Missing, attempt
from azeotrope.reporting.page.study import Study, Sweep, checklists, fit_rows, panels
from azeotrope.reporting.plain import plain
from azeotrope.reporting.texts import deployed_text
from azeotrope.reporting.texts.advice_text import points, settling_title
from azeotrope.reporting.texts.by_task import apart, by_task, errors, per_class


@dataclass(frozen=True)
class Section:
    """A further figure for the top of the page, e.g. a fitted law. `chart` makes it, and it is drawn in the report's
    theme; where there is none, the caption says why.
    """

    title: str
    caption: str
    chart: Callable[[], render.Chart] | None


class _Drawing(NamedTuple):
    title: str
    caption: str
    svg: Markup


def page(document: Document, sections: Sequence[Section] = (), sweep: Sweep | None = None) -> str:
    """The whole report as HTML. Comparisons keep their order; the facts at the top are the last one's.

    With a `sweep` its advice and curves come first, and every size folds up. Several tasks begin with their table.
    """
    comparisons = document.comparisons
    tasks = by_task(comparisons) if len({item.fingerprint for item in comparisons}) > 1 else None
    largest = list({_family(item): item for item in comparisons}.values())
    return _rendered(
        "report.html.jinja",
        document=document,
        lead=comparisons[-1],
        diagnosis=None if tasks else comparisons[-1].diagnosis,
        diagnosed=[] if tasks else [_drawn(*panel) for panel in diagnosis_page.panels(comparisons[-1])],
        rows=diagnosis_page.classes_shown(comparisons[-1]),
        sizes=[
            (item, _drawings(item, document.curves, alone=sweep is None or item in largest)) for item in comparisons
        ],
        sizes_said=" · ".join(f"{size:,}" for size in sorted({item.train_images for item in comparisons})),
        students=len({item.student for item in comparisons}),
        overall=_overall(comparisons),
        tasks=tasks,
        marked=errors,
        per_class=per_class if tasks and any(map(apart, tasks.rows)) else None,
        overview=[
            *(_trade_off(comparisons) if sweep else _curves(comparisons)),
            *map(_section, sections),
        ],
        sweep=sweep,
        studies=[(study, _panels(study)) for study in sweep.studies] if sweep else [],
        fit_rows=fit_rows,
        checklists=checklists,
        points=points,
        settling_title=settling_title,
        not_tested=_distinct(comparisons),
        plan=comparisons[-1].plan,
        phases=figures.phases,
    )


def _overall(comparisons: Sequence[Comparison]) -> Overall | None:
    """One answer where all that differs is the number of training images; else every comparison has its own."""
    asked = {(item.fingerprint, item.student, item.teacher.name if item.teacher else None) for item in comparisons}
    sizes = {item.train_images for item in comparisons}
    return overall(comparisons) if len(asked) == 1 and 1 < len(sizes) == len(comparisons) else None


def one_class(document: Document, name: str) -> tuple[class_page.OneClass, str]:
    """The class of that name, and its page as HTML. Raises InputError as `class_page.of_class` does."""
    found = class_page.of_class(document, name)
    return found, _rendered(
        "class.html.jinja",
        found=found,
        lead=document.comparisons[-1],
        pairs=class_page.pairs,
        threshold=class_page.threshold,
        rows=[],
    )


def _rendered(template: str, **content: object) -> str:
    """The page, with what every page needs: its words, its colours by night and its one script."""
    environment = _environment()
    script = Markup(environment.get_template("sort.js").render())
    return environment.get_template(template).render(
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        dark=DARK,
        words=words,
        verdict_words=verdict_words,
        as_file=deployed_text,
        interval=class_page.interval,
        difference=class_page.difference,
        most=MOST,
        version=azeotrope.__version__,
        **content,
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("azeotrope.reporting.page", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    environment.filters["facts"] = lambda content: yaml.safe_dump(plain(content), sort_keys=False, allow_unicode=True)
    environment.filters["yaml"] = lambda content: yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return environment


def _unbroken(value: object) -> object:
    """Keep "19.6 %" and "[1.2, 2.6]" on one line; text that is already HTML passes as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return re.sub(r"(?<=\d) (?=%)|(?<=\d,) (?=−?\d+\.\d\])", "\u00a0", value)


def _breakable(name: str) -> Markup:
    """An arm's name, which a narrow column may break after its joints; a reader who copies it gets it whole."""
    return Markup(re.sub(r"([+,])", r"\1<wbr>", str(escape(name))))


def _drawings(comparison: Comparison, curves: Mapping[str, Curve], *, alone: bool) -> list[_Drawing]:
    """The figures of one size; without a finished arm there is nothing to draw.

    Of a sweep the top of the page has the costs of all sizes: only its largest stands `alone`, with figures of them.
    """
    finished = [arm for arm in comparison.arms if arm.test_error is not None]
    if not finished:
        return []
    drawings = [
        _drawn(
            f"{_error(comparison)} by arm",
            "A dot is a seed, the diamond their mean, the bar its 95 % interval. Further left is better.",
            lambda: figures.errors(comparison),
        )
    ]
    if alone and any(words.total(arm.seconds_amortised) for arm in finished):
        drawings += [
            _drawn("Cost by phase", "Where the seconds of a run go.", lambda: figures.seconds(comparison)),
            _drawn(
                f"{_error(comparison)} against cost",
                "Lower is more accurate, further left is cheaper. Bars are 95 % intervals.",
                lambda: figures.error_against_cost(comparison),
            ),
        ]
    return [*drawings, *(_trained(comparison, curves) if alone else [])]


def _trained(comparison: Comparison, curves: Mapping[str, Curve]) -> list[_Drawing]:
    """How the arms trained; nothing where no run left a curve of two epochs."""
    found = attempt(lambda: training_curves.numbers(comparison, curves))
    title = "Training by epoch"
    caption = (
        "Each arm has a panel. The line is the mean of its seeds, the band reaches from the lowest to the highest. "
        "Arms minimise different losses: compare the shapes of their curves, not the heights."
    )
    if found is None:
        return []
    if isinstance(found, Missing):
        return [_Drawing(title, caption, _not_drawn(found))]
    if found.errors:
        caption += " Below, the validation error, on one scale for all arms."
    names = [arm.name for arm in comparison.arms if arm.test_error is not None]
    return [_drawn(title, caption, partial(training_curves.figure, found, names, comparison.reference))]


def _panels(study: Study) -> list[_Drawing]:
    return [_drawn(*panel) for panel in panels(study)]


def _section(section: Section) -> _Drawing:
    if section.chart is None:
        return _Drawing(section.title, section.caption, Markup())
    return _drawn(section.title, section.caption, section.chart)


def _trade_off(comparisons: Sequence[Comparison]) -> list[_Drawing]:
    """Error against cost over everything; nothing where no seconds were recorded."""
    dots = attempt(lambda: trade_off.numbers(comparisons))
    caption = (
        "A dot is an arm at a number of training images; lower is more accurate, further left cheaper to train. The "
        "line joins what nothing beats in both; its numbers are training images, whose labels are not in the price."
    )
    arms = list(dict.fromkeys(arm.name for comparison in comparisons for arm in comparison.arms))
    reference = comparisons[-1].reference
    title = f"{_error(comparisons[-1])} against cost"
    if isinstance(dots, Missing):
        return [_Drawing(title, caption, _not_drawn(dots))]
    axis = figures.error_title(comparisons[-1])
    return [_drawn(title, caption, partial(trade_off.figure, dots, arms, reference, axis))] if dots else []


def _curves(comparisons: Sequence[Comparison]) -> list[_Drawing]:
    """One figure for every task, student and teacher that was compared at several sizes."""
    families: dict[tuple[str, str, str], list[Comparison]] = {}
    several = len({comparison.fingerprint for comparison in comparisons}) > 1
    for comparison in comparisons:
        families.setdefault(_family(comparison), []).append(comparison)
    return [
        _drawn(
            f"{_error(family[0])} by number of training images" + (f" of {family[0].task}" if several else ""),
            f"Student {student}. Both axes are logarithmic; bars are 95 % intervals. Lower is better.",
            partial(figures.curves, family),
        )
        for (_, student, _), family in families.items()
        if len({item.train_images for item in family if item.winner is not None}) > 1
    ]


def _family(comparison: Comparison) -> tuple[str, str, str]:
    """What the sizes of one curve share: task, student, teacher."""
    return comparison.fingerprint, comparison.student, comparison.teacher.name if comparison.teacher else ""


def _error(comparison: Comparison) -> str:
    """The compared number at the beginning of a title."""
    error = words.error_word(comparison)
    return error[0].upper() + error[1:]


def _drawn(title: str, caption: str, chart: Callable[[], render.Chart]) -> _Drawing:
    """The figure, or the sentence that says why it is not there."""
    drawing = attempt(lambda: Markup(render.svg(chart())))  # our own drawing: Vega escapes its labels
    return _Drawing(title, caption, _not_drawn(drawing) if isinstance(drawing, Missing) else drawing)


def _not_drawn(missing: Missing) -> Markup:
    return Markup('<p class="missing">This figure could not be drawn. {}</p>').format(missing.reason)


def _distinct(comparisons: Sequence[Comparison]) -> list[NotTested]:
    return list(dict.fromkeys(item for comparison in comparisons for item in comparison.not_tested))
