"""How a sweep looks on a terminal: one live table while it runs, a few lines when it has ended, cells of a dry run."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from azeotrope.cli._terminal.progress import Shown, Ticker
from azeotrope.reporting.words import duration, plural
from azeotrope.session.sweeps.sweep_run import Sweep
from azeotrope.session.sweeps.sweep_setup import Foreseen
from azeotrope.sweeping.status import Running, Status

REFRESH = 2  # times a second
CELLS_SHOWN = 40
LEFT_OUT_SHOWN = 10


class Watched(Shown):
    """Bars while the images are read, then the table; a `Progress` and a `View` on standard error."""

    def __init__(self) -> None:
        super().__init__()
        self._status: Status | None = None
        self._live = Live(console=Console(stderr=True), refresh_per_second=REFRESH, get_renderable=self._drawn)
        self._ticker = Ticker(self._told)

    def show(self, status: Status) -> None:
        """Draw this from now on; it draws itself again, since a run may take hours."""
        if self._status is None:
            super().__exit__(None, None, None)
            self._status = status
            if self._live.console.is_terminal:
                self._live.start()
            else:
                self._told()
                self._ticker.start()
        self._status = status

    def note(self, what: str) -> None:
        """A sentence that stays, above the table once there is one."""
        if self._status is None:
            super().note(what)
        else:
            self._live.console.print(Text(what, style="yellow"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is None:
            super().__exit__(kind, error, trace)
        elif self._live.console.is_terminal:
            self._live.stop()
        else:
            self._ticker.stop()
            self._told()

    def _told(self) -> None:
        """Off a terminal: the table as it stands, every minute."""
        self._live.console.print(self._drawn())

    def _drawn(self) -> Group | Text:
        return Text() if self._status is None else drawn(self._status, time.monotonic())


def drawn(status: Status, now: float) -> Group:
    """The table: counts, runs under way, the newest errors, and how the answer firms up. `now` is a steady clock's."""
    left = "" if status.seconds_left is None else f", about {duration(max(0.0, status.seconds_left))} left"
    elsewhere = f", {status.elsewhere} in other sweeps" if status.elsewhere else ""
    counts = f"{status.done} done, {status.failed} failed, {len(status.running)} running{elsewhere}"
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for running in list(status.running.values()):
        table.add_row(Text(running.label), *_share(running, now))
    parts: list[Text | Table] = [Text(f"{counts} of {plural(status.planned, 'run')}{left}", style="bold"), table]
    parts += [Text(f"failed: {error}", style="red", overflow="ellipsis", no_wrap=True) for error in status.errors]
    parts += [Text(line) for line in status.said.splitlines()]
    return Group(*parts)


def _share(running: Running, now: float) -> tuple[Text, Text]:
    share = min(1.0, running.images / running.total) if running.total else 0.0
    return Text(f"{100 * share:.0f} %"), Text(duration(now - running.since))


def ended(sweep: Sweep) -> list[str]:
    """What the sweep did, why it stopped, what is missing and why."""
    said = [
        f"{plural(sweep.made, 'run')} made in {duration(sweep.seconds)}; "
        f"{len(sweep.done)} done and {len(sweep.failed)} failed of {sweep.planned}. Stopped: {sweep.stopped}."
    ]
    said += sweep.said.splitlines()
    said += [f"dropped: {line}" for line in sweep.dropped]
    said += [f"failed: {run}: {reason}" for run, reason in sweep.failed.items()]
    said += [f"left out: {run}: {reason}" for run, reason in list(sweep.left_out.items())[:LEFT_OUT_SHOWN]]
    if len(sweep.left_out) > LEFT_OUT_SHOWN:
        said.append(f"left out: ... and {len(sweep.left_out) - LEFT_OUT_SHOWN} more (all with --json)")
    said += [f"cannot be tested here: {arm}: {reason}" for arm, reason in sweep.not_tested.items()]
    return [*said, f"Records: {sweep.out}"]


def cells(foreseen: Foreseen) -> list[str]:
    """The cells with their forecast, and the sum."""
    said = [
        f"{cell.run}: {cell.state}" + ("" if cell.seconds is None else f", {duration(cell.seconds)}")
        for cell in foreseen.cells[:CELLS_SHOWN]
    ]
    if len(foreseen.cells) > CELLS_SHOWN:
        said.append(f"... and {len(foreseen.cells) - CELLS_SHOWN} more (all with --json)")
    said += [f"cannot be tested here: {arm}: {reason}" for arm, reason in foreseen.not_tested.items()]
    to_do = sum(cell.seconds is not None for cell in foreseen.cells)
    most = "at most " if foreseen.auto else "about "
    return [
        *said,
        f"{plural(to_do, 'run')} to make, {most}{duration(foreseen.seconds / foreseen.workers)} "
        f"with {plural(foreseen.workers, 'worker')}, from a trial on this machine",
    ]
