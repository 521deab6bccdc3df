"""Progress on standard error, with time left; standard output stays for results.

On a terminal rich draws bars. Into a file (nohup, cron, a cluster's log) goes a line a minute: bars would write nothing
until the end, or thousands of lines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Drawn
from rich.text import Text

from azeotrope.reporting.words import duration

EVERY_SECONDS = 60.0


class Shown:
    """A `Progress` (see `session.progress`) on standard error, in the form that suits where it goes."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._form: Bars | Lines = Bars(console) if console.is_terminal else Lines(console)

    def __enter__(self) -> Self:
        self._form.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._form.close()

    def start(self, what: str, total: int, unit: str) -> None:
        """Begin a piece of work of `total` units."""
        self._form.start(what, total, unit)

    def advance(self, amount: int) -> None:
        """So many units more are done."""
        self._form.advance(amount)

    def say(self, what: str) -> None:
        """Change the words for what is being done."""
        self._form.say(what)

    def note(self, what: str) -> None:
        """Write a sentence that stays."""
        self._form.note(what)


class Bars:
    """One bar after another, drawn by rich."""

    def __init__(self, console: Console) -> None:
        self._bars = Drawn(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            expand=True,
        )
        self._current: TaskID | None = None

    def open(self) -> None:
        """Begin to draw."""
        self._bars.start()

    def close(self) -> None:
        """Leave what was drawn."""
        self._bars.stop()

    def start(self, what: str, total: int, unit: str) -> None:
        """A new bar."""
        self._current = self._bars.add_task(what, total=total, unit=unit)

    def advance(self, amount: int) -> None:
        """Move it."""
        if self._current is not None:
            self._bars.advance(self._current, amount)

    def say(self, what: str) -> None:
        """Change its words."""
        if self._current is not None:
            self._bars.update(self._current, description=what)

    def note(self, what: str) -> None:
        """A sentence above the bars."""
        self._bars.console.print(Text(what, style="yellow"))


class Lines:
    """A line when a piece of work begins, one a minute while it lasts, one when the next begins or all is over.

    `clock` gives seconds and never goes back.
    """

    def __init__(self, console: Console, *, every: float = EVERY_SECONDS, clock: Callable[[], float] = time.monotonic):
        self._console, self._clock = console, clock
        self._ticker = Ticker(self._tell, every)
        self._what, self._said, self._unit = "", "", ""
        self._total = self._done = 0
        self._since = self._until = 0.0

    def open(self) -> None:
        """Begin to tell the time."""
        self._ticker.start()

    def close(self) -> None:
        """Say how far it came."""
        self._ticker.stop()
        self._end()

    def start(self, what: str, total: int, unit: str) -> None:
        """A new piece of work."""
        self._end()
        self._what, self._said, self._unit, self._total, self._done = what, "", unit, total, 0
        self._since = self._until = self._clock()
        self.note(f"{what}: {total:,} {unit}")

    def advance(self, amount: int) -> None:
        """Count."""
        self._done += amount
        self._until = self._clock()

    def say(self, what: str) -> None:
        """Words for the next line."""
        self._said = what

    def note(self, what: str) -> None:
        """A line of its own."""
        self._console.print(Text(what), soft_wrap=True)

    def _tell(self) -> None:
        if self._what:
            self.note(f"{self._counts()}{self._left()}" + (f" ({self._said})" if self._said else ""))

    def _end(self) -> None:
        if self._what:
            until = self._until if self._done >= self._total else self._clock()  # what follows may take long
            self.note(f"{self._counts()} in {duration(until - self._since)}")
        self._what = ""

    def _counts(self) -> str:
        return f"{self._what}: {self._done:,} of {self._total:,} {self._unit}"

    def _left(self) -> str:
        """At the pace so far; not guessed before the first unit."""
        if not 0 < self._done <= self._total:
            return ""
        return f", about {duration((self._clock() - self._since) / self._done * (self._total - self._done))} left"


class Ticker:
    """Calls `tell` every so many seconds from a thread of its own, so that one long step is not silence."""

    def __init__(self, tell: Callable[[], None], every: float = EVERY_SECONDS) -> None:
        self._tell, self._every, self._over = tell, every, threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """No call begins any more."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self._tell()
