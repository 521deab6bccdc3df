"""What a sweep tells while it runs, and what it leaves to say when it ends: plain facts, drawn elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

from azeotrope.sweeping.spec import RunSpec

NEWEST_ERRORS = 3


def label(spec: RunSpec) -> str:
    """A run as a person reads it."""
    upstream = f", pre-trained on {spec.upstream.pretrain_images:,}" if spec.upstream else ""
    student = spec.student.removeprefix("timm:")
    fold = f", fold {spec.fold}" if spec.fold else ""
    return f"{student} {spec.arm.name}, {spec.train_images:,} images{upstream}, seed {spec.seed}{fold}"


@dataclass
class Running:
    """A run under way: how many images it has trained on, of how many, and since when (steady clock, seconds)."""

    label: str
    total: int
    images: int = 0
    since: float = field(default_factory=time.monotonic)


@dataclass
class Status:
    """Where a sweep stands. `seconds_left` is None until it can be said; `said` is how the answer firms up, a line a
    student.
    """

    running: dict[str, Running] = field(default_factory=dict)
    planned: int = 0
    recorded: int = 0
    done: int = 0
    failed: int = 0
    elsewhere: int = 0
    seconds_left: float | None = None
    errors: list[str] = field(default_factory=list)
    said: str = ""

    def advance(self, run_id: str, images: int) -> None:
        """A run has trained on so many images more."""
        if run_id in self.running:
            self.running[run_id].images += images

    def failure(self, what: str) -> None:
        """Remember the newest failures."""
        self.errors = [*self.errors, what][-NEWEST_ERRORS:]


class View(Protocol):
    """Who shows a sweep."""

    def show(self, status: Status) -> None:
        """Show it from now on; called whenever something has changed."""


class Unseen:
    """Shows nothing."""

    def show(self, status: Status) -> None:
        """Nothing."""
