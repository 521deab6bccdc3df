"""The image files that a person names for use: files, folders, patterns, URLs, or a list on standard input.

What a system left beside the pictures is passed over as in training.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from azeotrope.data.address import fetched
from azeotrope.data.sources._passed import SUFFIXES, Tally, images_below
from azeotrope.data.sources._source import PassedOver
from azeotrope.errors import InputError
from azeotrope.labels import PLAIN_PIXELS, PixelSpec

STDIN = "-"
_NAMED = 3  # missing files listed
_TEXT_LIMIT = 4096  # bytes of standard input that tell a list of paths from a picture


@dataclass(frozen=True)
class Named:
    """One image file: what to call it, and its bytes when they are needed (raises OSError)."""

    name: str
    read: Callable[[], bytes]
    missing: bool = False


@dataclass(frozen=True)
class Chosen:
    """The files, and what was passed over in folders."""

    files: tuple[Named, ...]
    passed: tuple[PassedOver, ...]


def named_images(
    images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], pixels: PixelSpec = PLAIN_PIXELS
) -> Chosen:
    """The files that these names mean; one path is a list of one. In folders, those are taken that a task of such
    `pixels` holds. Raises InputError where there is none, and TypeError for anything but paths.
    """
    tally, files = Tally(pixels), list[Named]()
    for given in [images] if isinstance(images, str | os.PathLike) else images:
        if not isinstance(given, str | os.PathLike):
            raise TypeError(f"images are paths or a list of paths, not {type(given).__name__}")
        files += _meant(os.fspath(given), tally)
    if missing := [file.name for file in files if file.missing]:
        raise InputError(
            "Every image that is named must be there",
            found=f"no {', no '.join(missing[:_NAMED])}"
            + (f", and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""),
            allowed="image files, or folders of them",
            next_step="check the path",
        )
    if not files:
        passed = ", ".join(f"{row.count} {row.what}" for row in tally.counted())
        raise InputError(
            "There is nothing to classify",
            found=f"no image files; passed over: {passed}" if passed else "no image files",
            allowed=", ".join(sorted(SUFFIXES)),
        )
    return Chosen(tuple(files), tally.counted())


def _meant(given: str, tally: Tally) -> list[Named]:
    if given == STDIN:
        return _from_input(tally)
    if "://" in given:
        return [Named(given, lambda: fetched(given))]
    path = os.path.expanduser(given)  # noqa: PTH111 (Path.expanduser refuses ~a.png)
    if os.path.isdir(path):  # noqa: PTH112
        return [_file(file) for file in sorted(images_below(path, "", tally))]
    if not os.path.lexists(path) and glob.has_magic(path):
        return [named for file in sorted(glob.glob(path, recursive=True)) for named in _meant(file, tally)]  # noqa: PTH207
    return [Named(path, Path(path).read_bytes, missing=not os.path.lexists(path))]


def _file(path: str) -> Named:
    return Named(path, lambda: Path(path).read_bytes())


def _from_input(tally: Tally) -> list[Named]:
    """One picture, or a path a line."""
    content = sys.stdin.buffer.read()
    start = content[:_TEXT_LIMIT]
    if b"\0" not in start and start[:2] != b"\xff\xd8":
        lines = content.decode("utf-8", "surrogateescape").splitlines()
        return [named for line in lines if line.strip() for named in _meant(line.strip(), tally)]
    return [Named(STDIN, lambda: content)]
