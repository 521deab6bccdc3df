"""A lock that a process of this machine holds by keeping a file open; if the process dies the system takes it back."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[TextIO]:
    """Hold `path`, created if need be, while inside; yields the open file. Many may hold it `shared`, else one.

    Raises BlockingIOError when another holds it and `wait` is off, OSError when it cannot be created. The file may be
    removed by whoever holds it: those who waited for it then lock the new one.
    """
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    while True:
        with path.open("a+") as file:
            fcntl.flock(file, how)
            if _is_still(path, file):
                yield file
                return


def only_holder(file: TextIO) -> bool:
    """Whether nobody else holds this locked file; it is then held for oneself alone."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
