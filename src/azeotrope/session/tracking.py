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
from azeotrope.record.lock import locked
from azeotrope.record.run import RunRecord
from azeotrope.record.store import cannot_write, expanded, write_atomically
from azeotrope.record.training_curve import curve_of
from azeotrope.terms import split
from azeotrope.trackers._tracker import Tracker, tracked

Asked = str | Sequence[str]
"""Trackers as they are asked for: NAME or NAME:FOLDER, by commas or as a list."""


@dataclass
class Tracking:
    """The trackers that work, each with its folder, by how they were asked for; `note` is told of one that fails."""

    trackers: dict[str, tuple[Tracker, Path]] = field(default_factory=dict)
    note: Callable[[str], None] = lambda said: None

    def show(self, record: RunRecord, store: str) -> None:
        """Show a finished run to all that do not have it. A tracker that fails is given up, and said once."""
        if record.state != "done":
            return
        for asked, (tracker, folder) in list(self.trackers.items()):
            try:
                with locked(folder / ".azeotrope.lock"):
                    if not tracker.has(record.run_id):
                        tracker.add(tracked(record, curve_of(store, record.run_id)))
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
        name, _, given = asked.strip().partition(":")
        tracker, folder = member("trackers", name, "tracker"), Path(expanded(given or _beside(out, name))).absolute()
        try:
            _check_writable(folder)
            tracking.trackers[asked] = (tracker.open_tracker(folder), folder)
        except Exception as error:  # as in `show`
            note(_given_up(asked, error))
    return tracking


def _beside(out: str | Path, name: str) -> str:
    if "://" in str(out):
        raise InputError(
            "A tracker writes to a folder of this machine",
            found=f"{name} without a folder, and the runs go to {out}",
            next_step=f"name one: --track {name}:FOLDER",
        )
    return f"{out}/trackers/{name}"


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
