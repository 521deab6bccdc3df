"""An output folder belongs to one process at a time, and to one labelled image set for good."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azeotrope.errors import StoreError
from azeotrope.record.store import cannot_write

PLAN = "plan.yaml"


@contextmanager
def claimed(out: Path) -> Iterator[Path]:
    """Create `out` if need be and hold it while inside.

    Raises StoreError when it cannot be written, when another process holds it, or when it has files that are not ours.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        _check_ours(out)
        lock = (out / ".lock").open("a+")
    except OSError as error:
        raise cannot_write(out, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise StoreError(
                f"The folder {out} is in use by another process",
                found=f"process {lock.read().strip() or 'unknown'}",
                allowed="one writer at a time",
                next_step="wait until it has ended, or choose another folder with --out",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield out
        finally:
            _remove_if_unused(out)


def check_same_data(out: Path, stored: str, found: str) -> None:
    """Refuse to mix runs of different images in one folder; nothing is overwritten. Fingerprints as hex."""
    if stored != found:
        raise StoreError(
            f"The images have changed since the runs in {out} were made",
            found=f"fingerprint {found[:12]}, the folder has {stored[:12]}",
            allowed="the same images, labels and splits in one output folder",
            next_step="choose another folder with --out; the old runs are untouched",
        )


def _remove_if_unused(out: Path) -> None:
    """A folder that was claimed in vain, because the input was wrong, is not left behind."""
    if [path.name for path in out.iterdir()] == [".lock"]:
        (out / ".lock").unlink()
        out.rmdir()


def _check_ours(out: Path) -> None:
    present = sorted(path.name for path in out.iterdir())
    if present and not {PLAN, ".lock"} & set(present):
        raise StoreError(
            f"The folder {out} holds files that are not azeotrope's",
            found=", ".join(present[:5]),
            allowed="a new or empty folder, or one from an earlier run",
            next_step="choose another folder with --out",
        )
