"""The cost that was not paid here: pre-training the student on ImageNet-1k, at the rate of this machine."""

from __future__ import annotations

from azeotrope.advice.price import IMAGENET_EPOCHS, IMAGENET_IMAGES
from azeotrope.errors import InputError
from azeotrope.reporting.numbers import PretrainingCost
from azeotrope.session.workshop import Workshop
from azeotrope.train.throughput import training_rate

BATCH = 32


def pretraining_cost(workshop: Workshop) -> PretrainingCost | None:
    """From a trial of seconds at the student's own resolution; None for a student that does not run there."""
    try:
        student = workshop.resources.student(workshop.plan.student, 1000, None, pretrained=False, seed=0)
    except InputError:
        return None
    rate = training_rate(student.network, student.preprocessing.size, BATCH, workshop.resources.device)
    return PretrainingCost(source="ImageNet-1k", images=IMAGENET_IMAGES, epochs=IMAGENET_EPOCHS, images_per_second=rate)
