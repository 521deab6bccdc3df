"""The cost that was not paid here: the published pre-training of the student's weights, at the rate of this machine."""

from __future__ import annotations

from azeotrope.errors import InputError
from azeotrope.models.pretraining import published
from azeotrope.reporting.numbers import PretrainingCost
from azeotrope.session.opening import Opened
from azeotrope.train.throughput import training_rate

BATCH = 32
CLASSES = 1000


def pretraining_cost(opened: Opened) -> tuple[PretrainingCost | None, str | None]:
    """(the cost, from a trial of seconds at the resolution of the pre-training; why there is none)."""
    name, resources = opened.comparison.student, opened.resources
    found = published(name)
    if isinstance(found, str):
        return None, found
    try:
        student = resources.student(name, CLASSES, found.image_size, pretrained=False, seed=0)
    except InputError as refusal:
        return None, f"the student does not run at the {found.image_size} px of its pre-training: {refusal.rule}"
    rate = training_rate(student.network, found.image_size, BATCH, resources.device)
    cost = PretrainingCost(
        source=found.source,
        images=found.images,
        epochs=found.epochs,
        images_per_second=rate,
        image_size=found.image_size,
        reference=found.reference,
    )
    return cost, None
