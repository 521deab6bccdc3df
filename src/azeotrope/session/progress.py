"""How the public functions tell what they are doing. The command line shows it; by default nobody listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """One bar at a time: `start` begins it, `advance` moves it, `say` changes its words; a `note` stays to be read."""

    def start(self, what: str, total: int, unit: str) -> None:
        """Begin a bar of `total` units."""

    def advance(self, amount: int) -> None:
        """Move the bar."""

    def say(self, what: str) -> None:
        """Change what the bar is said to be doing."""

    def note(self, what: str) -> None:
        """Show a sentence that stays."""


class Silent:
    """Shows nothing."""

    def start(self, what: str, total: int, unit: str) -> None:
        """Nothing."""

    def advance(self, amount: int) -> None:
        """Nothing."""

    def say(self, what: str) -> None:
        """Nothing."""

    def note(self, what: str) -> None:
        """Nothing."""


def scanning(progress: Progress) -> Scanning:
    """An adapter for `load_task`, which reports (done, total)."""
    return Scanning(progress)


class Scanning:
    """Turns (done, total) into a bar."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.done = 0

    def __call__(self, done: int, total: int) -> None:
        """Called by the scan with images done and images in all."""
        if self.done == 0:
            self.progress.start("reading images", total, "images")
        self.progress.advance(done - self.done)
        self.done = done
