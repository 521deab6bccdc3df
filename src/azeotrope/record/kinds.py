"""Words for each kind of task: what its error is, so that no page calls something an error rate that is none.

Numbers come from records; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azeotrope.labels import KindName
from azeotrope.own_code import FILE
from azeotrope.recipe import BALANCED, OWN_ERROR, TOP5


@dataclass(frozen=True)
class Words:
    """`error` names the number by which runs are compared, `meaning` says what it is; `sampled`: whether it is a mean
    over test images, so that the noise of their sampling is known and the number of classes says what chance is.
    """

    error: str
    meaning: str
    sampled: bool


WORDS: dict[str, Words] = {
    "single": Words("error", "the share of images that are given another class than theirs", sampled=True),
    "multi": Words("1 − mAP", "1 less the mean over classes of the average precision of their ranking", sampled=False),
    "number": Words("1 − R²", "the share of the variance that is left unexplained, at most 1", sampled=False),
}
MEASURES: dict[str, Words] = {
    BALANCED: Words(
        "balanced error",
        "the mean over classes of the share of a class's images that are given another class",
        sampled=True,
    ),
    TOP5: Words("top-5 error", "the share of images whose class is not among the five most likely", sampled=True),
}
"""What `--metric` puts in the place of a kind's own error, which is `OWN_ERROR`."""
PER_CLASS = "per_class_error"
IMAGE_ERROR = "image_error"
METRICS: dict[str, str] = {
    "map": "mAP",
    "label_error": "labels wrong",
    "r2": "R²",
    "mae": "MAE",
    PER_CLASS: "mean per-class error",
    IMAGE_ERROR: "images wrong",
}

_SHARES = ("map", "label_error", PER_CLASS, IMAGE_ERROR)


def measure_of(kind: KindName, metric: str) -> str:
    """What judges runs of this kind whose recipe names this metric: a key of `words_of`."""
    return kind if metric == OWN_ERROR else metric


def named_measure(recipe: Mapping[str, Any]) -> str:
    """What `--metric` named, with the hash of a person's own code: runs are compared where this is the same. Recipes
    that are older name none.
    """
    code, metric = recipe.get("metric_code"), str(recipe.get("metric", OWN_ERROR))
    return metric if code is None else f"{metric} ({code})"


def words_of(measure: str) -> Words:
    """The words for a kind's own error, or for a measure that takes its place."""
    if measure.startswith(FILE):
        name = measure.rpartition(":")[2]
        return Words(name, f"what {name} of {measure.removeprefix(FILE).rpartition(':')[0]} gives", sampled=False)
    return WORDS[measure] if measure in WORDS else MEASURES[measure]


def is_measure(name: str) -> bool:
    """Whether `words_of` knows it."""
    return name in WORDS or name in MEASURES or name.startswith(FILE)


def metrics_text(metrics: Mapping[str, float], unit: str | None, error: float | None = None) -> str:
    """Like "R² 0.871, MAE 3.2 kg" or "mAP 91.2 %, labels wrong 3.4 %"; empty where there are none.

    The mean per-class error is left out where it reads like the `error`: classes of equal size say nothing more.
    """
    same = error is not None and _value(PER_CLASS, metrics.get(PER_CLASS, -1.0), None) == _value(PER_CLASS, error, None)
    shown = {name: value for name, value in metrics.items() if not (same and name == PER_CLASS)}
    return ", ".join(f"{METRICS.get(name, name)} {_value(name, value, unit)}" for name, value in shown.items())


def _value(name: str, value: float, unit: str | None) -> str:
    if name in _SHARES:
        return f"{100 * value:.1f} %"
    return number_text(value, 3) + (f" {unit}" if unit and name == "mae" else "")


def number_text(value: float, figures: int = 4) -> str:
    """So many figures, and all before the point: 3.142, 1987, 234,567. Years need no comma, so it comes with 10,000."""
    if abs(value) < 10 ** (figures - 1):
        return f"{value:.{figures}g}"
    text = f"{value:,.0f}"
    return text if len(text.lstrip("-")) > len("9,999") else text.replace(",", "")


def one_line(name: str) -> str:
    """A name from outside as one line: what does not print, line breaks too, becomes a space."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
