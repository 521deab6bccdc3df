"""Which parts of a diagnosis the report shows: classes in its table, and figures with their titles and captions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from azeotrope.diagnosis.confusion import MOST
from azeotrope.diagnosis.records import ArmDiagnosis
from azeotrope.reporting.drawing import diagnosis_figures as drawn
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.numbers import Comparison

Panel: TypeAlias = tuple[str, str, Callable[[], Chart]]


def classes_shown(comparison: Comparison) -> list[int]:
    """The places of all classes, or of many those with the lowest F1 of the arm that was chosen."""
    arm = _chosen(comparison)
    if arm is None or len(arm.classes) <= MOST:
        return list(range(len(arm.classes))) if arm else []
    order = sorted(range(len(arm.classes)), key=lambda place: one.value if (one := arm.classes[place].f1) else -1.0)
    return order[:MOST]


def panels(comparison: Comparison) -> list[Panel]:
    """The figures of what each arm gets right and wrong."""
    found, chosen = comparison.diagnosis, _chosen(comparison)
    if found is None or chosen is None:
        return []
    names, reference = [arm.name for arm in comparison.arms if arm.test_error is not None], comparison.reference
    every: list[tuple[bool, Panel]] = [
        (
            bool(chosen.confusion),
            (
                f"What {chosen.arm} takes for what",
                "Images a run, mean over seeds; a row is a true class, its colours are shares of that class.",
                partial(drawn.confusion, chosen, comparison.classes),
            ),
        ),
        (
            any(arm.calibration for arm in found.arms),
            (
                "Are probabilities true?",
                "Answers by how sure they are. Below the dashed line a model is surer than it may be. Larger dots hold "
                "more answers.",
                partial(drawn.calibration, found, names, reference),
            ),
        ),
        (
            any(arm.coverage for arm in found.arms),
            (
                "Error when the unsure is refused",
                "The least sure answers are refused first: the error on those that are left. Bands are 95 % intervals.",
                partial(drawn.coverage, found, names, reference),
            ),
        ),
        (
            any(arm.residuals for arm in found.arms),
            (
                "How answers are off, by value",
                "A dot is a fifth of the test images. Above zero, values are told too high. Bars are 95 % intervals.",
                partial(drawn.residuals, found, names, reference, comparison.unit),
            ),
        ),
    ]
    return [panel for there, panel in every if there]


def _chosen(comparison: Comparison) -> ArmDiagnosis | None:
    """The winner, or the first arm that left answers."""
    found = comparison.diagnosis
    return None if found is None else found.arm(comparison.winner or "") or found.arms[0]
