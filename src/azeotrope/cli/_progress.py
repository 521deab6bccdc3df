"""Progress on standard error, with time left; standard output stays for results."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text


class Shown:
    """A `Progress` (see `session.progress`) drawn by rich; one bar after another."""

    def __init__(self) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            expand=True,
        )
        self._current: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, what: str, total: int, unit: str) -> None:
        """Begin a bar."""
        self._current = self._bars.add_task(what, total=total, unit=unit)

    def advance(self, amount: int) -> None:
        """Move the current bar."""
        if self._current is not None:
            self._bars.advance(self._current, amount)

    def say(self, what: str) -> None:
        """Change the current bar's words."""
        if self._current is not None:
            self._bars.update(self._current, description=what)

    def note(self, what: str) -> None:
        """Write a sentence above the bars."""
        self._bars.console.print(Text(what, style="yellow"))
