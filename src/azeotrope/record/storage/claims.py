"""Which sweep makes which run where several write to one store: they divide the work instead of doing it twice.

Each keeps one file, `sweeps/<owner>.json`: the runs that it has under way, and a beat that it raises every few seconds.
A sweep whose beat stands still is dead, and its runs are free again. How long it stood still is measured by the
observer's own steady clock, so no clock is compared with another and none may jump. Claims save work, no more: equal
runs have equal records, and a finished record is never replaced, so a run that is made twice is a waste and no harm.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TypedDict, cast

from azeotrope.errors import StoreError
from azeotrope.record.storage.store import RunStore

FOLDER = "sweeps"
BEAT_SECONDS = 5.0
PATIENCE = 60.0  # seconds without a beat after which a sweep on another machine is taken for dead


class _Content(TypedDict):
    """What `sweeps/<owner>.json` says."""

    beat: int
    runs: list[str]
    machine: str
    process: list[int]


@dataclass
class Claims:
    """The claims of one sweep on runs of `store`; a context, inside which it beats. `clock` must never go back."""

    store: RunStore
    clock: Callable[[], float] = time.monotonic
    owner: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def __post_init__(self) -> None:
        self._runs: set[str] = set()
        self._beat = 0
        self._seen: dict[str, tuple[int, float]] = {}  # owner -> its last beat, and when this sweep first saw it
        self._writing, self._over = threading.Lock(), threading.Event()

    def __enter__(self) -> Claims:
        self._write()
        threading.Thread(target=self._beating, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with self._writing:
            self.store.remove(f"{FOLDER}/{self.owner}.json")

    def take(self, run_id: str) -> bool:
        """Claim a run; False when another living sweep has it.

        One looks before and after writing: of two that come at once, at least one sees the other and steps back.
        """
        if run_id in self.others():
            return False
        self._runs.add(run_id)
        self._write()
        if run_id in self.others():
            self.drop(run_id)
            return False
        return True

    def drop(self, run_id: str) -> None:
        """Give a run back: it is recorded, or somebody else may make it."""
        self._runs.discard(run_id)
        self._write()

    def others(self) -> set[str]:
        """Runs that other living sweeps have under way. Files of dead sweeps are removed."""
        taken: set[str] = set()
        for name in self.store.names(FOLDER):
            owner = name.removesuffix(".json")
            if owner == self.owner or not name.endswith(".json") or (content := self._read(name)) is None:
                continue
            if self._alive(owner, content):
                taken |= set(content["runs"])
            else:
                self.store.remove(f"{FOLDER}/{name}")
        return taken

    def _alive(self, owner: str, content: _Content) -> bool:
        beat, since = self._seen.get(owner, (-1, 0.0))
        if content["beat"] != beat:
            self._seen[owner] = (content["beat"], self.clock())
            return not _is_gone(content)
        return self.clock() - since < PATIENCE and not _is_gone(content)

    def _beating(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                self._write()
            except StoreError:  # a full disk stops the sweep itself, where it can say so
                continue

    def _write(self) -> None:
        with self._writing:
            if self._over.is_set():
                return
            self._beat += 1
            content = _Content(beat=self._beat, runs=sorted(self._runs), machine=_machine(), process=_process())
            self.store.write(f"{FOLDER}/{self.owner}.json", json.dumps(content).encode())

    def _read(self, name: str) -> _Content | None:
        """What another sweep has written; None when it has gone, or the file is damaged and claims nothing."""
        text = self.store.read(f"{FOLDER}/{name}")
        try:
            return None if text is None else cast(_Content, json.loads(text))
        except ValueError:
            return None


def _is_gone(content: _Content) -> bool:
    """Whether the owner ran on this machine and its process has ended."""
    return content["machine"] == _machine() and content["process"] != _process(content["process"][0])


def _machine() -> str:
    """A name for this boot of this machine and the world of process numbers in it."""
    boot, world = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    return "/".join(
        [
            socket.gethostname(),
            boot.read_text(encoding="utf-8").strip() if boot.exists() else "",
            str(world.readlink()) if world.is_symlink() else "",
        ]
    )


def _process(pid: int | None = None) -> list[int]:
    """A process by number and start, since numbers are used again; [] when there is none. By default this one."""
    pid = os.getpid() if pid is None else pid
    stat = Path(f"/proc/{pid}/stat")
    try:
        if Path("/proc/self/stat").exists():
            state, *numbers = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            return [] if state in "ZX" else [pid, int(numbers[18])]
        if sys.platform != "win32":  # where signal 0 is Ctrl-C; a sweep that has ended there is known by its beat
            os.kill(pid, 0)
    except (ProcessLookupError, FileNotFoundError):
        return []
    except PermissionError:  # somebody else's, and alive
        pass
    return [pid]
