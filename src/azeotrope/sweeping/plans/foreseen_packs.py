"""What a plan says of the packs that its runs will read, before its images are listed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from azeotrope.data.packing.early_packs import Foreseen, Use
from azeotrope.data.packing.foreseen import Asked
from azeotrope.sweeping.plans.network_input import fitting_size, foreseen_channels
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.resources import Resources


def foreseen_packs(plan: SweepPlan, resources: Resources) -> Foreseen | None:
    """The packs of every student and teacher; None where the plan leaves open how many images train. The models must
    have been checked.
    """
    if plan.train_images == "auto":
        return None
    most = None if plan.train_images == "all" else max(plan.train_images)
    asked = Asked(most, plan.seeds, plan.held_out, plan.folds)
    return Foreseen(asked, (*_students(plan, resources), *_teachers(plan, resources)))


def _students(plan: SweepPlan, resources: Resources) -> Iterator[Use]:
    """They train on frames, and are judged on plain pictures."""
    channels = foreseen_channels(plan.labels.pixels.bands)
    for name in plan.students or (plan.ladder.students() if plan.ladder else ()):
        student = resources.student(name, 2, plan.image_size, pretrained=False, seed=0, in_channels=channels)
        look = student.preprocessing
        pixels = partial(_always, plan.image_size) if plan.image_size else partial(fitting_size, look.size)
        yield Use(pixels, frozenset({"train"}), frozenset({"val", "test"}), look.interpolation)


def _teachers(plan: SweepPlan, resources: Resources) -> Iterator[Use]:
    """They look at frames of all images of a run."""
    for spec in plan.teachers:
        for member in spec.members:
            yield Use(partial(_always, resources.teacher(member).image_size), frozenset({"train", "val", "test"}))


def _always(pixels: int, side: int) -> int:
    return pixels
