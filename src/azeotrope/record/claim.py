"""An output folder belongs to one process at a time, or to several sweeps that share it, and to one labelled image set
for good.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from azeotrope.errors import StoreError
from azeotrope.record.lock import locked, only_holder
from azeotrope.record.store import cannot_write

PLAN = "plan.yaml"
_MARKS = (PLAN, ".lock")


@contextmanager
def claimed(out: Path, *, shared: bool = False) -> Iterator[Path]:
    """Create `out` if need be and hold it while inside; `shared` with others that ask for it shared.

    Raises StoreError when it cannot be written, when another process holds it, or when it has files that are not ours.
    """
    with ExitStack() as held:
        try:
            out.mkdir(parents=True, exist_ok=True)
            _check_ours(out)
            lock = held.enter_context(locked(out / ".lock", shared=shared, wait=False))
        except BlockingIOError:
            raise _in_use(out) from None
        except OSError as error:
            raise cannot_write(out, error) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield out
        finally:
            _remove_if_unused(out, lock)


def check_same_data(out: Path, stored: str, found: str) -> None:
    """Refuse to mix runs of different images in one folder; nothing is overwritten. Fingerprints as hex."""
    if stored != found:
        raise StoreError(
            f"The images have changed since the runs in {out} were made",
            found=f"fingerprint {found[:12]}, the folder has {stored[:12]}",
            allowed="the same images, labels and splits in one output folder",
            next_step="choose another folder with --out; the old runs are untouched",
        )


def _in_use(out: Path) -> StoreError:
    return StoreError(
        f"The folder {out} is in use by another process",
        found=f"process {(out / '.lock').read_text(encoding='utf-8') or 'unknown'}",
        allowed="one writer at a time",
        next_step="wait until it has ended, or choose another folder with --out",
    )


def _remove_if_unused(out: Path, lock: TextIO) -> None:
    """A folder that was claimed in vain, because the input was wrong, is not left behind."""
    if [path.name for path in out.iterdir()] == [".lock"] and only_holder(lock):
        (out / ".lock").unlink()
        out.rmdir()


def is_output(folder: Path) -> bool:
    """Whether azeotrope keeps its results in this folder, so that nobody takes it for data."""
    return any((folder / name).is_file() for name in _MARKS)


def _check_ours(out: Path) -> None:
    present = sorted(path.name for path in out.iterdir())
    if present and not is_output(out):
        raise StoreError(
            f"The folder {out} holds files that are not azeotrope's",
            found=", ".join(present[:5]),
            allowed="a new or empty folder, or one from an earlier run",
            next_step="choose another folder with --out",
        )
