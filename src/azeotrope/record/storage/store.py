"""Where records live: a folder or any fsspec URL with `runs/<run_id>.json`, written atomically and never overwritten.

It does not decide what to run, and it does not interpret what it holds.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import fsspec
from pydantic import ValidationError

from azeotrope.errors import InputError, StoreError, message_of
from azeotrope.record.run import SCHEMA, RunRecord

UNFINISHED = ".*.tmp"  # files that `write_atomically` has not renamed yet, or never will: their writer was killed


def expanded(place: str | Path) -> str:
    """A folder as everything here takes it: `~` is the home folder, wherever the shell left it. A URL stays."""
    return str(place) if "://" in str(place) else os.path.expanduser(place)  # noqa: PTH111 (a URL may stand here too)


@dataclass(frozen=True)
class Problem:
    """A record file that could not be used, with the reason; it is reported, never dropped in silence."""

    path: str
    reason: str


@dataclass
class RunStore:
    """Records under `root` (a path, or a URL such as `s3://bucket/sweep`)."""

    root: str
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._fs, self._path = fsspec.core.url_to_fs(str(self.root))

    def path_of(self, run_id: str) -> str:
        """Where the record of this run is, or would be."""
        return f"{self._path}/runs/{run_id}.json"

    def get(self, run_id: str) -> RunRecord | None:
        """The record, or None when the run was never recorded. A torn or foreign file raises InputError."""
        path = self.path_of(run_id)
        return self._read(path) if self._fs.exists(path) else None

    def put(self, record: RunRecord) -> None:
        """Write the record whole or not at all.

        A `done` record is never replaced, unless the new one was also measured as the file of a further target; a
        `failed` one is replaced by a later try. Raises StoreError when the folder cannot be written.
        """
        present = self.get(record.run_id)
        if present is None or not present.is_whole(list(record.deployed)):
            self._write_record(record)

    def put_failed(self, record: RunRecord, targets: Sequence[str]) -> RunRecord:
        """Write that a try failed, and return what stands now: a run that was done stays so, with the reason for the
        files of `targets` that it was made again for.
        """
        present = self.get(record.run_id)
        if present is not None and present.state == "done":
            reason = f"The run could not be made again for its file. {record.reason}"
            record = present.lacking(targets, reason)
        self.put(record)
        return record

    def forget_reasons(self, run_id: str, targets: Sequence[str]) -> None:
        """Files of these targets that the run could not be had as are to be made again."""
        present = self.get(run_id)
        if present is not None and (again := present.without_reasons(targets)) != present:
            self._write_record(again)

    def _write_record(self, record: RunRecord) -> None:
        self.write(f"runs/{record.run_id}.json", record.model_dump_json(indent=1).encode())

    def write(self, name: str, content: bytes) -> None:
        """Write the file `name` below the root whole or not at all. Raises StoreError when it cannot be written."""
        path = f"{self._path}/{name}"
        try:
            if "file" in self._fs.protocol:
                write_atomically(Path(path), content)
            else:  # object stores put an object whole or not at all
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                with self._fs.open(path, "wb") as file:
                    file.write(content)
        except OSError as error:
            raise cannot_write(path, error) from error

    def read(self, name: str) -> bytes | None:
        """The content of the file `name` below the root, or None when there is none."""
        try:
            content: bytes = self._fs.cat_file(f"{self._path}/{name}")
        except FileNotFoundError:
            return None
        return content

    def names(self, folder: str) -> list[str]:
        """Names of the files in `folder` below the root, sorted; hidden ones are left out."""
        self._fs.invalidate_cache()  # others write here too
        found = (path.rpartition("/")[2] for path in self._fs.glob(f"{self._path}/{folder}/*"))
        return sorted(name for name in found if not name.startswith("."))

    def remove(self, name: str) -> None:
        """Remove the file `name` below the root, if it is there."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(f"{self._path}/{name}")

    def __iter__(self) -> Iterator[RunRecord]:
        """All readable records, ordered by id; what cannot be read is listed in `problems`."""
        self.problems.clear()
        self._fs.invalidate_cache()  # others write here too
        for path in sorted(self._fs.glob(f"{self._path}/runs/*.json")):
            try:
                yield self._read(path)
            except InputError as error:
                self.problems.append(Problem(path, str(error)))

    def _read(self, path: str) -> RunRecord:
        try:
            with self._fs.open(path, "r", encoding="utf-8") as file:
                content = json.load(file)
            version = content.get("schema")
            if isinstance(version, int) and version > SCHEMA:
                raise InputError(
                    f"The record {path} was written by a newer version of azeotrope",
                    found=f"schema {version}",
                    allowed=f"schema {SCHEMA} or older",
                    next_step="upgrade azeotrope on this machine",
                )
            return RunRecord.model_validate(content)
        except (json.JSONDecodeError, ValidationError, UnicodeDecodeError, AttributeError) as error:
            raise InputError(
                f"The record {path} cannot be read",
                found=message_of(error),
                next_step="move this file away; the run will be made again",
            ) from error


def write_atomically(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write to a neighbour, rename: readers see the old file or the new one, never half of one.

    `durable` also waits for the disk, so that the file outlives a power cut and not only a killed process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    data = content.encode() if isinstance(content, str) else content
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def disk_full(error: BaseException) -> bool:
    """Whether the disk, or what a person may use of it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def cannot_write(path: str | Path, error: OSError, *, option: str = "--out") -> StoreError:
    """The error for a folder that is full, read-only or not ours; `option` is the one that names another."""
    full = disk_full(error)
    return StoreError(
        f"The disk is full while writing {path}" if full else f"The output {path} cannot be written",
        found=os.strerror(error.errno) if error.errno else str(error),
        allowed="" if full else "a folder you may create and write to",
        next_step="free some space, then give the same command again: finished runs are kept"
        if full
        else f"choose another folder with {option}",
    )
