"""Files of addresses, fetched whole and once: a shard's headers lie between its pictures, so that reading them fetches
most of it, and each picture is then read once more.

The copies lie in the cache folder and go with the command. A quarter of the free disk is theirs; what does not fit is
read from its address part by part.
"""

from __future__ import annotations

import errno
import logging
import shutil
import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from azeotrope.data.scratch import scratch_below
from azeotrope.data.sources._places import cache_root

_SHARE = 0.25  # of the free disk: packs, which come of the same pictures, take more than the shards
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # a quota, which the free disk does not tell
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Copy:
    """One file, which is there as long as this object is."""

    file: Path
    among: Copies

    def open(self) -> BinaryIO:
        """For reading."""
        return self.file.open("rb")

    def read(self, start: int, size: int) -> bytes:
        """Bytes from `start` on; fewer at the end."""
        with self.file.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(size)


class Copies:
    """The copies that one command has, in a folder that goes with this object or with the process."""

    def __init__(self) -> None:
        self._held, self._count = ExitStack(), 0
        weakref.finalize(self, self._held.close)

    @cached_property
    def _folder(self) -> Path | None:
        try:
            return self._held.enter_context(scratch_below(cache_root(), "shards"))
        except OSError as error:
            _log.info("Shards are read from their addresses, not from copies: %s", error)
            return None

    @cached_property
    def _room(self) -> float:
        return _SHARE * shutil.disk_usage(self._folder).free if self._folder else 0.0

    def of(self, system: Any, path: str, size: int) -> Copy | None:
        """A copy of a file of this size; None where there is no room for it. Raises what the system raises, and OSError
        where the copy has another size.
        """
        if size > self._room or self._folder is None:
            return None
        copy = self._folder / str(self._count)
        try:
            system.get_file(path, str(copy))
        except OSError as error:
            if error.errno not in _FULL:
                raise
            copy.unlink(missing_ok=True)
            self._room = 0.0
            return None
        if (found := copy.stat().st_size) != size:
            raise OSError(f"{found:,} bytes of {size:,} were fetched")
        self._room, self._count = self._room - size, self._count + 1
        return Copy(copy, self)
