"""Writes the card of a saved model: what it is, what it was trained on, how it fares, whose weights it started from.

Plain text in Markdown. Class names and facts come from outside, so every mark that Markdown or HTML would act on is
escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from azeotrope.labels import KindName
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.pretrained.weights import Weights
from azeotrope.record.kinds import one_line

ACTIVE = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&$:@=^])")
OUTPUTS: dict[KindName, str] = {
    "single": "Classes, in the order of the outputs",
    "multi": "Classes, in the order of the outputs; the sigmoid of an output is the probability of its class",
    "number": "Output: the value itself",
}
Fact = str | int | float | bool | None


def card(
    *,
    architecture: str,
    parameters: int,
    classes: Sequence[str],
    preprocessing: Preprocessing,
    weights: Weights | None,
    facts: Mapping[str, Fact],
    kind: KindName = "single",
    unit: str | None = None,
) -> str:
    """The text of card.md. `facts` are listed in their order: fingerprint of the data, errors, seed, ..."""
    lines = [
        f"# {_title(kind, classes, unit)}",
        "",
        f"- architecture: {escape(architecture)}, {parameters:,} parameters",
        f"- images: {_preparation(preprocessing)}",
        f"- started from: {_origin(weights)}",
        *(f"- {escape(key.replace('_', ' '))}: {_value(value)}" for key, value in facts.items()),
        "",
        f"## {OUTPUTS[kind]}",
        "",
        *(f"{number}. {escape(name)}" for number, name in enumerate(classes)),
        "",
    ]
    return "\n".join(lines)


def _title(kind: KindName, classes: Sequence[str], unit: str | None) -> str:
    if kind == "number":
        return f"A model that estimates {escape(classes[0])} from an image" + (f", in {escape(unit)}" if unit else "")
    return f"An image classifier of {len(classes)} classes" + (", any number an image" if kind == "multi" else "")


def escape(text: str) -> str:
    """One line that shows as it is in Markdown: marks escaped, line breaks and control characters made spaces."""
    return ACTIVE.sub(r"\\\1", one_line(text))


def _preparation(preprocessing: Preprocessing) -> str:
    size, mean, std = preprocessing.size, list(preprocessing.mean), list(preprocessing.std)
    pixels, peak = preprocessing.pixels, 65_535 if preprocessing.pixels.bits == 16 else 255
    bands = "RGB"
    if pixels.bands is not None:
        named = f"bands {', '.join(map(str, pixels.bands))}" if isinstance(pixels.bands, tuple) else "all bands"
        bands = f"{named} of the file ({preprocessing.stored_channels})"
    how = [preprocessing.interpolation, *([pixels.fit] if pixels.fit != "squeeze" else [])]
    once = "in one resize, " if preprocessing.resize == "once" else ""
    return f"{bands}, {size} x {size} pixels ({once}{', '.join(how)}), (pixel / {peak} - {mean}) / {std}"


def _origin(weights: Weights | None) -> str:
    if weights is None:
        return "random weights"
    licence = (
        escape(weights.licence) if weights.licence else "not known, ask their author before you publish this model"
    )
    return f"{escape(weights.source)}, licence: {licence} (SHA-256 {weights.sha256})"


def _value(value: Fact) -> str:
    if value is None:
        return "not measured"
    return escape(value) if isinstance(value, str) else f"{value:.4g}" if isinstance(value, float) else str(value)
