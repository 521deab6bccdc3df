"""What a student is shown where the plan does not say it: how many pixels, and how many channels."""

from __future__ import annotations

from typing import Literal

from azeotrope.data.task import Task
from azeotrope.models.load import load_network

FINEST_DEFAULT = 32  # pixels are rounded up to a multiple of this: the stride of most networks


def default_image_size(task: Task, student: str) -> int:
    """The student's own resolution, or less where the images have less: their size rounded up to a multiple of 32."""
    channels = task.manifest.in_channels
    loaded = load_network(student, 2, image_size=None, pretrained=False, seed=0, in_channels=channels)
    return fitting_size(loaded.preprocessing.size, task.manifest.side)


def fitting_size(own: int, side: int) -> int:
    """A network's own pixels, or fewer where the largest picture has `side` pixels."""
    return min(own, -(-side // FINEST_DEFAULT) * FINEST_DEFAULT)


def foreseen_channels(bands: tuple[int, ...] | Literal["all"] | None) -> int:
    """What a network is shown before images are listed: of all `bands` colour, since it is not known how many there
    are.
    """
    return len(bands) if isinstance(bands, tuple) and len(bands) > 1 else 3
