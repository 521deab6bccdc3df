"""Folders for what one command needs and no later one: they go at its end, and those of a killed command with the next.

Whoever uses a folder holds its lock, so that what nobody holds may be deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

from azeotrope.record.storage.lock import locked

_NAMED = "scratch-"


@contextmanager
def scratch_below(root: Path, what: str) -> Iterator[Path]:
    """A new folder below `root`, named after `what` is in it. Raises OSError."""
    root.mkdir(parents=True, exist_ok=True)
    for mark in root.glob(f"{_NAMED}*.lock"):
        with suppress(OSError):  # somebody uses it
            _end(mark)
    folder = root / f"{_NAMED}{what}-{uuid4().hex[:12]}"
    mark = folder.with_suffix(".lock")
    try:
        with locked(mark):
            folder.mkdir()
            yield folder
    finally:
        with suppress(OSError):
            _end(mark)


def _end(mark: Path) -> None:
    """Delete the folder of this lock, and the lock where the folder is gone: outside of it, since Windows deletes no
    open file. Raises OSError where somebody holds it.
    """
    folder = mark.with_suffix("")
    with locked(mark, wait=False):
        rmtree(folder, ignore_errors=True)
    if not folder.exists():
        mark.unlink(missing_ok=True)
