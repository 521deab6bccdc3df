"""Locks between processes, on every system: `filelock` where the file system can lock, else a file that marks the lock.

A native lock ends with its process. Some file systems have none (a few network and FUSE mounts answer ENOSYS or
ENOTSUP); there the marker `NAME.soft` stands for the lock. One that a dead process of the same machine left is taken
over; one of another machine stays until a person removes it, and the log says so.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

_UNSUPPORTED = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_log = logging.getLogger(__name__)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file `path`, created if need be, while inside; one holder at a time, also within a process.

    Raises BlockingIOError when another holds it and `wait` is off, OSError when it cannot be created. The file may be
    removed by whoever holds it: those who waited for it then lock the new one.
    """
    lock = _acquire(path, wait=wait)
    try:
        yield
    finally:
        lock.release()


def _acquire(path: Path, *, wait: bool) -> BaseFileLock:
    try:
        native = FileLock(path, fallback_to_soft=False)  # its own fallback warns in words of its own
        native.acquire(blocking=wait)
        return native
    except Timeout as held:
        raise BlockingIOError(errno.EWOULDBLOCK, "held by another process", str(path)) from held
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _UNSUPPORTED:
            raise
    return _acquire_marker(path.with_name(f"{path.name}.soft"), wait=wait)


def _acquire_marker(path: Path, *, wait: bool) -> BaseFileLock:
    _say_once(path.parent)
    marker = SoftFileLock(path)
    try:
        marker.acquire(blocking=wait)
    except Timeout as held:
        raise BlockingIOError(errno.EWOULDBLOCK, "held by another process", str(path)) from held
    return marker


@cache
def _say_once(folder: Path) -> None:
    _log.warning(
        "The file system of %s cannot lock files: marker files (*.soft) stand for locks there. "
        "If a command waits or is refused although no other runs, a machine has crashed: remove these files.",
        folder,
    )
