"""A folder of class folders, with or without `train`, `val` and `test` above them. The folder's name is the class's
name.

Hidden files and files without an image's suffix are passed over; an image's content is looked at only when it is read.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from azeotrope.data.sources._source import SPLIT_NAMES, Item, Source, Split, class_index
from azeotrope.errors import InputError
from azeotrope.lookup import nearest

SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "gif", "bmp", "tif", "tiff"),
        *("webp", "avif", "jp2", "j2k", "ppm", "pgm", "pbm", "pnm", "ico"),
    )
)
_LAYOUT = "a folder of class folders (DATA/cat/1.jpg), or the same below train, val and test (DATA/train/cat/1.jpg)"


def open_source(name: str) -> Source:
    """The images below the folder `name`. Raises InputError when it does not exist, holds no image, or is laid out
    otherwise.
    """
    root = Path(name).expanduser()
    if not root.is_dir():
        raise _missing(root)
    found = [(split, folder) for split, base in _split_folders(root) for folder in _folders(base)]
    classes = tuple(sorted({_text(folder.name) for _, folder in found}))
    files = [(file, _text(folder.name), split) for split, folder in found for file in _images(folder)]
    if not files:
        raise _no_images(root)
    labels = class_index((label for _, label, _ in files), classes, lambda place: str(files[place][0]))
    items = tuple(
        Item(_text(file.relative_to(root).as_posix()), label, split)
        for (file, _, split), label in zip(files, labels, strict=True)
    )
    return Source(_text(root.resolve().name), classes, items, lambda place: files[place][0].read_bytes())


def _split_folders(root: Path) -> list[tuple[Split, Path]]:
    """The folders that hold class folders. A folder `train` that itself holds folders makes the difference."""
    folders = _folders(root)
    named = [(SPLIT_NAMES[folder.name.lower()], folder) for folder in folders if folder.name.lower() in SPLIT_NAMES]
    layered = [folder for _, folder in named if _folders(folder)]
    if not layered:
        return [("", root)]
    others = sorted({folder.name for folder in folders} - {folder.name for folder in layered})
    if others or "train" not in {split for split, _ in named}:
        raise InputError(
            f"The folder {root} mixes split folders with others, or has no train folder",
            found=", ".join(sorted(folder.name for folder in folders)[:10]),
            allowed=_LAYOUT,
            next_step="move the class folders below train, and what does not belong out of the folder",
        )
    return named


def _folders(base: Path) -> list[Path]:
    return sorted(path for path in base.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))


def _images(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and os.path.splitext(file)[1].lower() in SUFFIXES:  # noqa: PTH122 (hot loop)
                yield Path(place, file)


def _text(name: str) -> str:
    """The name as text that can be written anywhere; bytes that are not UTF-8 are spelt out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _missing(root: Path) -> InputError:
    parent = root.absolute().parent
    near = nearest(root.name, os.listdir(parent)) if parent.is_dir() else []  # noqa: PTH208 (names only)
    return InputError(
        f"There is no folder {root}",
        found=f"nearest in {parent}: {', '.join(near)}" if near else "",
        allowed=_LAYOUT,
        next_step="check the path",
    )


def _no_images(root: Path) -> InputError:
    suffixes = Counter(path.suffix.lower() or "none" for path in root.rglob("*") if path.is_file())
    loose = any(path.suffix.lower() in SUFFIXES for path in root.iterdir())
    found = ", ".join(f"{count} files with suffix {suffix}" for suffix, count in suffixes.most_common(5))
    return InputError(
        f"The folder {root} holds no class folder with an image",
        found=found or "an empty folder",
        allowed=f"{_LAYOUT}, of files such as .jpg, .png, .webp, .tif",
        next_step="put each image into a folder named after its class, or give a CSV of paths and labels"
        if loose
        else "check the path; for a folder of the datasets library write `hf:FOLDER`",
    )
