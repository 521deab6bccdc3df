"""Tar files on a disk or behind an address: which pictures are in one, where they begin, and whether it is whole.

On a disk only the headers are read when a shard is opened, and a picture by its place; a shard at an address is fetched
once, to a copy that goes with the command. Nothing is unpacked or kept.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import PurePosixPath
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from azeotrope.data.sources._copies import Copies, Copy
from azeotrope.data.sources._passed import SUFFIXES
from azeotrope.data.sources._source import Stamp, stamp_of
from azeotrope.errors import InputError

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_CHANGED = ("ETag", "etag", "Last-Modified", "LastModified", "md5Hash", "last_modified", "mtime")  # of fsspec's systems
_LABEL = "cls"
_END = 2 * tarfile.BLOCKSIZE  # of zeros, by which a tar says that it ends; some writers then fill up a record
_ONCE = {*SUFFIXES, f".{_LABEL}"}  # what a key has one of
_ALLOWED = "FILE.tar, a folder of them, a pattern such as train-{0000..0099}.tar or *.tar, or a URL of either"


@dataclass(frozen=True, slots=True)
class Packed:
    """A picture in a shard: its `key`, its whole name, where it begins and its bytes, and the text of its class."""

    key: str
    name: str
    start: int
    size: int
    label: str | None = None


@dataclass(frozen=True)
class Tar:
    """One shard. `others` counts what is neither picture nor class, by suffix. `whole` is the stamp of the file when it
    was opened; None where an address does not tell whether what it holds has changed. `copy` is what was fetched of an
    address.
    """

    url: str
    system: Any
    path: str
    pictures: Sequence[Packed] = ()
    others: Mapping[str, int] = field(default_factory=dict)
    whole: Stamp | None = None
    copy: Copy | None = None

    @property
    def name(self) -> str:
        """Of the file, without its folder and what signs an address."""
        return PurePosixPath(unsigned(self.path)).name

    def read(self, start: int, size: int) -> bytes:
        """Bytes from `start` on. Raises OSError where they are not there any more."""
        try:
            content = self.copy.read(start, size) if self.copy else self._fetched(start, size)
        except FileNotFoundError:
            if self.copy is None:
                raise
            content = self._fetched(start, size)  # the cache was deleted, which it may be at any time
        if len(content) != size:
            raise OSError(f"{self.url} ends at byte {start + len(content):,}")
        return content

    def _fetched(self, start: int, size: int) -> bytes:
        content: bytes = self.system.cat_file(self.path, start=start, end=start + size)
        return content

    def beside(self, name: str) -> bytes | None:
        """A file in the same folder; None where there is none. Raises InputError where that cannot be told."""
        path = f"{unsigned(self.path).rpartition('/')[0]}/{name}"
        try:
            content: bytes = self.system.cat_file(path)
        except FileNotFoundError:
            return None
        except Exception as error:  # every protocol has exceptions of its own
            raise InputError(
                f"{name} beside {self.url} cannot be read",
                found=str(error) or type(error).__name__,
                allowed="a file that can be read, or none",
                next_step="give the command again, or check the address",
            ) from error
        return content

    def stamp(self, packed: Packed) -> Stamp | None:
        """Of a picture in it."""
        if self.whole is None:
            return None
        return self.whole._replace(where=f"{self.whole.where}{packed.start}/{packed.size}/{packed.name}")


def unsigned(address: str) -> str:
    """An address of the web without its query, which signs it and is another tomorrow; all others as they are."""
    return address.partition("?")[0] if address.startswith(("http://", "https://")) else address


def shards_of(name: str) -> list[str]:
    """The shards that a name means, by name. Raises InputError where it means none."""
    place = name if "://" in name else os.path.expanduser(name)  # noqa: PTH111 (a URL may stand here too)
    found: list[str] = []
    for one in _expanded(place):
        system, path = _opened(one)
        if any(sign in unsigned(path) for sign in "*?["):
            matching = system.glob(path)
        elif "://" not in one and system.isdir(path):
            matching = system.glob(f"{path}/*.tar")
        else:
            matching = [path]
        found += [system.unstrip_protocol(path) if "://" in one else path for path in sorted(matching)]
    if not found:
        raise InputError(
            f"webdataset:{name} names no shard",
            found="no file of that name ending in .tar",
            allowed=_ALLOWED,
            next_step="check the path",
        )
    return found


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a path or address, and the path there. Raises InputError for one that fsspec cannot speak."""
    try:
        system, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InputError(
            f"The address {url} cannot be opened",
            found=str(error),
            allowed=_ALLOWED,
            next_step="install the package of its protocol (s3fs, gcsfs, adlfs, ...), or check the address",
        ) from error
    system.invalidate_cache()  # what it remembers of files that changed since
    return system, path


def _expanded(place: str) -> list[str]:
    """Each of the names that `{0000..0099}` stands for, numbers as wide as the first."""
    parts = _RANGE.split(place)
    ranges = [
        [f"{number:0{len(first)}}" for number in range(int(first), int(last) + 1)]
        for first, last in zip(parts[1::3], parts[2::3], strict=True)
    ]
    texts = parts[::3]
    return ["".join(a + b for a, b in zip(texts, (*chosen, ""), strict=True)) for chosen in product(*ranges)]


def open_tar(url: str, copies: Copies) -> Tar:
    """What is in a shard, of which one of the `copies` is made if it lies at an address. Raises InputError for one that
    is not there, is cut short, or is no plain tar file.
    """
    system, path = _opened(url)
    try:
        info, local = system.info(path), isinstance(system, LocalFileSystem)
        size = int(info["size"])
        tar = Tar(url, system, path, whole=stamp_of(path) if local else _whole(url, info))
        tar = tar if local else replace(tar, copy=copies.of(system, path, size))
        with tar.copy.open() if tar.copy else system.open(path, "rb") as file:
            return _read(tar, file, size)
    except InputError:
        raise
    except Exception as error:  # every protocol has exceptions of its own, and not all of them are OSError
        raise InputError(
            f"The shard {url} cannot be read",
            found=getattr(error, "strerror", None) or str(error) or type(error).__name__,
            allowed="a tar file that is not compressed",
            next_step="check the path, and unpack a .tar.gz to .tar",
        ) from error


def _read(tar: Tar, file: Any, size: int) -> Tar:
    pictures: list[Packed] = []
    labels: dict[str, str] = {}
    pictured: set[str] = set()
    others: Counter[str] = Counter()
    with tarfile.open(fileobj=file, mode="r:") as archive:
        try:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep every header
                end = member.offset_data + member.size
                if end > size:
                    raise _cut(tar, len(pictures), size)
                folder, _, base = member.name.rpartition("/")
                key, _, suffix = base.partition(".")
                key = f"{folder}/{key}" if folder else key
                if not member.isfile():
                    if member.issym() or member.islnk():
                        others[f"link .{suffix}"] += 1
                    continue
                if key in (labels if suffix.lower() == _LABEL else pictured) and f".{suffix.lower()}" in _ONCE:
                    raise _twice(tar, member.name, key)
                if suffix.lower() == _LABEL:
                    file.seek(member.offset_data)
                    labels[key] = file.read(member.size).decode("utf-8", "backslashreplace").strip()
                elif f".{suffix.lower()}" in SUFFIXES:
                    pictured.add(key)
                    pictures.append(Packed(key, member.name, member.offset_data, member.size))
                else:
                    others[f".{suffix}"] += 1
        except tarfile.ReadError as error:
            raise _cut(tar, len(pictures), size) from error
        file.seek(archive.offset)
        end = file.read(_END + tarfile.RECORDSIZE)
        if not _ends(archive.offset, size) or end.strip(tarfile.NUL):
            raise _cut(tar, len(pictures), archive.offset)
    labelled = [replace(packed, label=labels.get(packed.key)) for packed in pictures]
    return replace(tar, pictures=labelled, others=dict(others))


def _ends(data: int, size: int) -> bool:
    """Whether a file of this size has the end of a tar after so many bytes: two blocks of zeros, and no more than fill
    the last record of 10,240 bytes. Further zeros may be pictures that are missing in a file made large beforehand.
    """
    shortest = data + _END
    return size in (shortest, -(-shortest // tarfile.RECORDSIZE) * tarfile.RECORDSIZE)


def _twice(tar: Tar, name: str, key: str) -> InputError:
    return InputError(
        "A key of a shard has one picture and one class",
        found=f"{name} in {tar.url}, where {key} has one already",
        allowed="KEY.jpg and KEY.cls, each once; a mask needs a key of its own or another suffix (.mask.png)",
        next_step="write the shard again with other keys",
    )


def _cut(tar: Tar, whole: int, at: int) -> InputError:
    return InputError(
        f"The shard {tar.url} is cut short or damaged",
        found=f"{whole:,} whole pictures, then something else at byte {at:,} than a further file or the end of a tar",
        allowed="a tar file with its end: two blocks of 512 zeros, and at most what fills up 10,240 bytes (tar -b 20)",
        next_step="fetch it again, or leave this shard out",
    )


def _whole(url: str, info: Mapping[str, Any]) -> Stamp | None:
    """What a file system says of an address that changes with the content."""
    said = {key: str(info[key]) for key in _CHANGED if info.get(key)}
    return Stamp(f"{unsigned(url)}\0{sorted(said.items())}\0", int(info["size"]), 0, 0) if said else None
