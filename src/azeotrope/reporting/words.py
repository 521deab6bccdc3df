"""Numbers as a person reads them: percentages, durations, counts, and what an arm and a comparison are of.

Numbers become text only here, so that page and terminal never disagree. Differences are in percentage points.
"""

from __future__ import annotations

from collections.abc import Mapping

from azeotrope.record.kinds import metrics_text, words_of
from azeotrope.record.run import RunRecord
from azeotrope.reporting.numbers import ArmSummary, Comparison, Estimate, Faster, PretrainingCost
from azeotrope.terms import CROSS_ENTROPY, weight_text

MISSING = "–"
_PHASES = {
    "decode": "decoding",
    "tune_teacher": "tuning the teacher",
    "teacher": "teacher's pass",
    "head": "teacher's head",
    "generate": "generating pictures",
    "pretrain": "pre-training",
    "compile": "compiling",
    "train": "training",
    "evaluate": "validation",
}
_AXES = {"train_images": "training images", "pretrain_images": "pretraining images"}
MINUS = "−"
MOST_SAVED = 0.999  # beyond it a share of time rounds to all of it
LABELS = "labels"  # what cross-entropy compares with


def percent(share: float | None) -> str:
    """0.1963 -> "19.6 %"."""
    return MISSING if share is None else f"{100 * share:.1f} %"


def percent_interval(estimate: Estimate | None) -> str:
    """Like "19.6 % [19.0, 20.2]"; the value alone when the interval says nothing."""
    if estimate is None:
        return MISSING
    return percent(estimate.value) + _bounds(estimate)


def points(difference: float) -> str:
    """0.019 -> "1.9 points"; a negative number carries a true minus sign."""
    return f"{_hundredths(difference)} points"


def points_interval(estimate: Estimate) -> str:
    """Like "1.9 points [1.2, 2.6]"."""
    return points(estimate.value) + _bounds(estimate)


def gain(difference: Estimate) -> str:
    """Percentage points of error saved, without the word: a difference of −0.019 is "+1.9"."""
    return _hundredths(-difference.value, sign=True)


def gain_interval(difference: Estimate | None) -> str:
    """Like "+1.9 [1.2, 2.6]"."""
    return MISSING if difference is None else gain(difference) + _bounds(difference.negated())


def _bounds(estimate: Estimate) -> str:
    if not estimate.known:
        return ""
    return f" [{_end(estimate.low)}, {_end(estimate.high)}]"


def _end(share: float) -> str:
    """An end that rounds to zero and is not shows on which side it lies."""
    text = _hundredths(share)
    return f"{100 * share:.2f}".replace("-", MINUS) if text == "0.0" and abs(share) >= 0.00005 else text


def _hundredths(share: float, *, sign: bool = False) -> str:
    text = f"{100 * share:{'+' if sign else ''}.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", MINUS)


def duration(seconds: float | None) -> str:
    """Like "4.2 s", "3 min 20 s", "2 h 05 min", "12 days": two figures that matter."""
    if seconds is None:
        return MISSING
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    if round(seconds) < 3600:
        return f"{round(seconds) // 60} min {round(seconds) % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{round(minutes / 1440):,} days"


def count(number: float | None) -> str:
    """Like "10,000"; above a million "4.6 M", "1.2 G", "3.4 T", "5.0 P"."""
    if number is None:
        return MISSING
    if number < 1e6:
        return f"{number:,.0f}"
    for size, unit in ((1e15, "P"), (1e12, "T"), (1e9, "G")):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number / 1e6:,.1f} M"


def plural(number: int, noun: str) -> str:
    """Like "1 seed", "3 seeds"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def axis_name(axis: str) -> str:
    """What a size is called for a reader: `train_images` is "training images"; a table's own name stays."""
    return _AXES.get(axis, axis.replace("_", " "))


def phase_name(phase: str) -> str:
    """What a phase of a run is called for a reader: `evaluate` is "validation"."""
    return _PHASES.get(phase, phase.replace("_", " "))


def described(arm: ArmSummary) -> str:
    """What sets this arm apart: where its weights start, and the losses, of which cross-entropy is the labels'.

    Empty where a table does not say it.
    """
    starts = {"random": "random weights", "hub": "pretrained weights", "upstream": "weights pre-trained here"}
    if arm.init not in starts:
        return ""
    start, weights = starts[arm.init], arm.losses or {LABELS: 1.0}
    losses = [key if weight == 1 else f"{key} × {weight_text(weight)}" for key, weight in weights.items()]
    chosen = f" (chosen among {len(arm.search.candidates)} on validation)" if arm.search else ""
    return f"{start}; {' + '.join(losses).replace(CROSS_ENTROPY, LABELS)}{chosen}"


def total(by_phase: Mapping[str, float]) -> float | None:
    """Seconds over all phases; None when no phase was recorded."""
    return sum(by_phase.values()) if by_phase else None


def energy(joules: Mapping[str, float]) -> str:
    """Like "3.2 kJ" or "1.25 kWh" over all phases; a dash where it was not read."""
    used = total(joules)
    if used is None:
        return MISSING
    if used < 1e6:
        return f"{used / 1000:.3g} kJ" if used >= 1000 else f"{used:.0f} J"
    return f"{used / 3.6e6:.3g} kWh"


def error_word(comparison: Comparison) -> str:
    """What the compared number is: "error", or the name of the measure that it is 1 less of."""
    return words_of(comparison.measure).error


def error_meaning(comparison: Comparison) -> str:
    """The same in a few words."""
    return words_of(comparison.measure).meaning


def tested(run: RunRecord) -> str:
    """What one run reached on the test images."""
    further = metrics_text(run.metrics, run.task.unit, run.test_error)
    return (
        f"Test {words_of(run.measure).error} {percent(run.test_error)}{f' ({further})' if further else ''} "
        f"on {count(run.test_images)} images"
    )


def metrics(arm: ArmSummary, comparison: Comparison) -> str:
    """The arm's further measures on the test images, in words; empty where there are none."""
    return metrics_text(arm.metrics, comparison.unit, arm.test_error.value if arm.test_error else None)


def outputs(comparison: Comparison) -> str:
    """Like "10 classes", "10 classes, any number an image" or "one number, age in years"."""
    if comparison.kind == "number":
        return f"one number, {comparison.classes[0]}" + (f" in {comparison.unit}" if comparison.unit else "")
    classes = plural(len(comparison.classes), "class").replace("classs", "classes")
    return classes + (", any number an image" if comparison.kind == "multi" else "")


def basis(comparison: Comparison) -> str:
    """What was compared, in one line."""
    teacher = f", teacher {comparison.teacher.name}" if comparison.teacher else ""
    size = f" ({count(comparison.parameters)} parameters)" if comparison.parameters else ""
    student = f", student {comparison.student}{size}" if comparison.student else ""
    return f"{comparison.task}, {plural(comparison.train_images, 'training image')}{student}{teacher}"


def faster(found: Faster, cost: PretrainingCost) -> str:
    """Like "distill took 94.0 % less time than pre-training and finetune: 5 min 02 s against ...", with its parts."""
    amount = percent(abs(found.less)) if found.less < MOST_SAVED else f"over {percent(MOST_SAVED)}"
    share = f"{amount} {'less' if found.less >= 0 else 'more'} time"
    size = f" at {cost.image_size} px" if cost.image_size else ""
    return (
        f"{found.arm} took {share} than pre-training and {found.baseline}: {duration(found.seconds)} against "
        f"{duration(found.pretraining_seconds)} ({cost.source}, {cost.images:,} images × {cost.epochs:g} "
        f"epochs{size}, {count(cost.images_per_second)} images/s here) + {duration(found.finetuning_seconds)}"
    )


def faster_lines(comparison: Comparison) -> list[str]:
    """One sentence an arm, or why there is none."""
    if comparison.pretraining is not None and comparison.faster:
        return [faster(found, comparison.pretraining) for found in comparison.faster]
    said = comparison.faster_missing
    return [f"Time against pre-training and fine-tuning is not given: {said}"] if said else []
