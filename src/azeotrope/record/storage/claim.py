"""An output folder belongs to one process at a time, or to several sweeps that share it, and to one labelled image set
for good.

Every holder keeps a file of its own locked, `.lock.<process>.<alone|shared>.<number>`: its name says who holds the
folder and how, and nobody needs to read it, which some systems forbid while it is locked. `.lock` is held for the
moment in which a holder comes or goes, so that two who come at once see each other.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from azeotrope.errors import StoreError
from azeotrope.record.storage.lock import locked
from azeotrope.record.storage.store import UNFINISHED, cannot_write

PLAN = "plan.yaml"
_DOOR = ".lock"
_DOTS = 4  # in the name of a holder's file


@contextmanager
def claimed(out: Path, *, shared: bool = False) -> Iterator[Path]:
    """Create `out` if need be and hold it while inside; `shared` with others that ask for it shared.

    Raises StoreError when it cannot be written, when another process holds it, or when it has files that are not ours.
    """
    with ExitStack() as held:
        try:
            own = _enter(out, held, shared=shared)
        except OSError as error:
            raise cannot_write(out, error) from error
        try:
            yield out
        finally:
            _leave(out, own, held)


def check_same_data(out: Path, stored: str, found: str) -> None:
    """Refuse to mix runs of different images in one folder; nothing is overwritten. Fingerprints as hex."""
    if stored != found:
        raise StoreError(
            f"The images have changed since the runs in {out} were made",
            found=f"fingerprint {found[:12]}, the folder has {stored[:12]}",
            allowed="the same images, labels and splits in one output folder",
            next_step="choose another folder with --out; the old runs are untouched",
        )


def _enter(out: Path, held: ExitStack, *, shared: bool) -> Path:
    """Lock a file of one's own, unless somebody is inside who does not share; returns it."""
    out.mkdir(parents=True, exist_ok=True)
    _check_ours(out)
    with locked(out / _DOOR):
        inside = _holders(out)
        if not inside:
            _sweep_up(out)
        _refuse_others(out, [path for path in inside if not (shared and ".shared." in path.name)])
        own = out / f"{_DOOR}.{os.getpid()}.{'shared' if shared else 'alone'}.{uuid.uuid4().hex[:8]}"
        held.enter_context(locked(own))
    return own


def _leave(out: Path, own: Path, held: ExitStack) -> None:
    """Let go. A folder that was claimed in vain, because the input was wrong, is not left behind."""
    with suppress(OSError):  # the folder has gone, or the disk is full: what was held is let go all the same
        with locked(out / _DOOR):
            held.close()
            _remove(own)
            deserted = not _holders(out)
            if deserted:
                _sweep_up(out)
            unused = deserted and all(path.name.startswith(_DOOR) for path in out.iterdir())
            if unused:
                _remove(out / _DOOR)
        if unused:
            _remove(out / _DOOR)  # where a locked file could not be removed
            out.rmdir()


def _holders(out: Path) -> list[Path]:
    """The files of living holders. Those of killed ones are removed."""
    alive = []
    for path in sorted(out.glob(f"{_DOOR}.*.*.*")):
        if path.name.count(".") != _DOTS:  # what stands beside a lock file where the file system cannot lock
            continue
        try:
            with locked(path, wait=False):
                pass
            _remove(path)
        except BlockingIOError:
            alive.append(path)
    return alive


def _sweep_up(out: Path) -> None:
    """Remove what killed processes had half written in the folders of `out`. Only while nobody is inside."""
    for path in out.glob(f"*/{UNFINISHED}"):
        _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _refuse_others(out: Path, holders: list[Path]) -> None:
    if holders:
        raise StoreError(
            f"The folder {out} is in use by another process",
            found=f"process {', '.join(path.name.split('.')[2] for path in holders)}",
            allowed="one writer at a time",
            next_step="wait until it has ended, or choose another folder with --out",
        )


def is_output(folder: Path) -> bool:
    """Whether azeotrope keeps its results in this folder, so that nobody takes it for data."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 (names only: this may be a class folder of a million files)
    except OSError:
        return False
    return any(name.startswith(_DOOR) for name in names) or (folder / PLAN).is_file()


def _check_ours(out: Path) -> None:
    present = sorted(path.name for path in out.iterdir())
    if present and not is_output(out):
        raise StoreError(
            f"The folder {out} holds files that are not azeotrope's",
            found=", ".join(present[:5]),
            allowed="a new or empty folder, or one from an earlier run",
            next_step="choose another folder with --out",
        )
