"""Trackers that a command shows its finished runs to (`--track`), and what becomes of one that fails.

A run is shown when its record is in the store: by this process, between runs, from the record and the stored curve. So
workers need no tracker, a killed one leaves nothing half shown, and the same command shows what an earlier one did not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azeotrope.errors import AzeotropeError, InputError
from azeotrope.lookup import member
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.lock import locked
from azeotrope.record.storage.store import cannot_write, expanded, write_atomically
from azeotrope.record.storage.training_curve import Curve, curve_of
from azeotrope.reporting.page.part import Missing, attempt
from azeotrope.terms import split
from azeotrope.trackers._tracker import Tracker, tracked

Asked = str | Sequence[str]
"""Trackers as they are asked for: NAME or NAME:FOLDER, by commas or as a list."""


@dataclass(frozen=True)
class Opened:
    """A tracker that works, its folder, and the runs that it holds as far as is known here."""

    tracker: Tracker
    folder: Path
    known: set[str]

    def show(self, record: RunRecord, curve: Curve) -> None:
        """Show a run, unless another process has done so."""
        with locked(self.folder / ".azeotrope.lock"):
            if not self.tracker.has(record.run_id):
                self.tracker.add(tracked(record, curve))
        self.known.add(record.run_id)


@dataclass
class Tracking:
    """The trackers that work, by how they were asked for; `note` is told of one that fails."""

    trackers: dict[str, Opened] = field(default_factory=dict)
    note: Callable[[str], None] = lambda said: None

    def show(self, record: RunRecord, store: str) -> None:
        """Show a finished run to all that do not have it. A tracker that fails is given up, and said once. A curve that
        cannot be read is said, and the run is shown without one.
        """
        lacking = [asked for asked, each in self.trackers.items() if record.run_id not in each.known]
        if record.state != "done" or not lacking:
            return
        curve = attempt(lambda: curve_of(store, record.run_id))
        if isinstance(curve, Missing):
            self.note(f"The run {record.run_id} is shown to trackers without its curve. {curve.reason}")
            curve = ()
        for asked in lacking:
            try:
                self.trackers[asked].show(record, curve)
            except Exception as error:  # of a stranger's code; the run is safe in its store
                del self.trackers[asked]
                self.note(_given_up(asked, error))


def open_tracking(track: Asked, out: str | Path, note: Callable[[str], None]) -> Tracking:
    """The trackers of `track`; without a folder of its own, one writes to OUT/trackers/NAME.

    One that is not installed or whose folder cannot be written is said with `note` and left out. Raises InputError for
    a name that is no tracker, and where there is no folder of this machine to write to.
    """
    tracking = Tracking(note=note)
    for asked in split(track, ",") if isinstance(track, str) else track:
        name = asked.strip().partition(":")[0]
        made, folder = member("trackers", name, "tracker"), _folder(asked.strip(), out)
        try:
            _check_writable(folder)
            tracker = made.open_tracker(folder)
            tracking.trackers[asked] = Opened(tracker, folder, tracker.known())
        except Exception as error:  # as in `show`
            note(_given_up(asked, error))
    return tracking


def _folder(asked: str, out: str | Path) -> Path:
    name, _, given = asked.partition(":")
    if "://" in (given or str(out)):
        raise InputError(
            "A tracker writes to a folder of this machine",
            found=f"the address {given}" if given else f"{name} without a folder, and the runs go to {out}",
            next_step=f"name one: --track {name}:FOLDER",
        )
    return Path(expanded(given or f"{out}/trackers/{name}")).absolute()


def _check_writable(folder: Path) -> None:
    probe = folder / ".azeotrope.writable"
    try:
        write_atomically(probe, b"", durable=False)
        probe.unlink()
    except OSError as error:
        raise cannot_write(folder, error, option="--track NAME:FOLDER") from error


def _given_up(asked: str, error: Exception) -> str:
    name = asked.strip().partition(":")[0]
    said = str(error) if isinstance(error, AzeotropeError) else f"{type(error).__name__}: {error}"
    return f"Nothing more goes to the tracker {name}; training goes on. {said}"
