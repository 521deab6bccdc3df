"""Folders for what one command needs and no later one: they go at its end, and those of a killed command with the next.

Whoever uses a folder holds its lock, so that what nobody holds may be deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

from azeotrope.record.lock import locked


@contextmanager
def scratch_below(root: Path, what: str) -> Iterator[Path]:
    """A new folder below `root`, named after `what` is in it. Raises OSError."""
    root.mkdir(parents=True, exist_ok=True)
    _sweep(root, what)
    folder = root / f"{what}-{uuid4().hex[:12]}"
    mark = folder.with_suffix(".lock")
    with ExitStack() as held:
        held.enter_context(locked(mark))
        folder.mkdir()
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)
            mark.unlink(missing_ok=True)


def _sweep(root: Path, what: str) -> None:
    for mark in root.glob(f"{what}-*.lock"):
        try:
            with locked(mark, wait=False):
                rmtree(mark.with_suffix(""), ignore_errors=True)
                mark.unlink(missing_ok=True)
        except OSError:  # somebody uses it
            continue
