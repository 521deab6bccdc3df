"""How folders are arranged: which say the split, which the class, and which stand above them for another reason.

What can mean one thing only is read so, and said where it is unusual; what could mean two is asked about (`--layout`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azeotrope.data.sources._passed import Tally, folders_in, images_below, loose_in
from azeotrope.data.sources._source import Split
from azeotrope.data.sources._splits import split_word
from azeotrope.errors import InputError
from azeotrope.labels import Layout

ALLOWED = "a folder of class folders (DATA/cat/1.jpg), or the same below train, val and test (DATA/train/cat/1.jpg)"
_DATE = re.compile(r"(19|20)\d\d([-_.]?\d\d){0,2}")  # a year, a month or a day
_WRAPPERS = 5  # folders around the data, each the only one in the next
SHOWN = 10


@dataclass(frozen=True)
class ClassFolder:
    """A folder of images: its split ("" where none is given), the name of its class, and where it is."""

    split: Split
    name: str
    path: Path


@dataclass
class Arranged:
    """The class folders below `base`; `words` say how that was seen."""

    base: Path
    folders: list[ClassFolder]
    words: list[str] = field(default_factory=list)


def arranged(root: Path, layout: Layout | None, tally: Tally) -> Arranged:
    """The class folders below `root`. Raises InputError where the arrangement is none of the known ones, or may be two
    of them.
    """
    base, words = _unwrapped(root, tally)
    seen = layout or _seen(base, tally)
    folders, more = _READERS[seen](base, tally)
    return Arranged(base, folders, [*words, *more])


def _unwrapped(root: Path, tally: Tally) -> tuple[Path, list[str]]:
    """The folder that holds the data: an archive is often unpacked with a folder of its own around all. What lies
    beside it is counted.
    """
    base = root
    for _ in range(_WRAPPERS):
        folders = folders_in(base, "")
        if len(folders) != 1 or _has_images(base, tally) or split_word(folders[0].name):
            break
        if _has_images(folders[0], tally) or not folders_in(folders[0], ""):
            break
        loose_in(base, "", tally)
        folders_in(base, "", tally)
        base = folders[0]
    words = [] if base == root else [f"{root} holds one folder of folders only: {base} is read as the data."]
    return base, words


def _has_images(folder: Path, tally: Tally) -> bool:
    return any(tally.takes(path.name) and path.is_file() for path in folder.iterdir())


def _seen(base: Path, tally: Tally) -> Layout:
    """What the names say. A folder `train` that itself holds folders makes it a split layout."""
    folders = folders_in(base, "")
    below = {folder: {inner.name for inner in folders_in(folder, "")} for folder in folders}
    if any(split_word(folder.name) and below[folder] for folder in folders):
        return "split/class"
    if any({split_word(name) for name in names} >= {"train", "test"} for names in below.values()):
        return "class/split"
    shared = Counter(name for names in below.values() for name in names)
    twice = sorted(name for name, count in shared.items() if count > 1)
    crossed = len(twice) > 1 and all(names & set(twice) for names in below.values())
    dated = all(_DATE.fullmatch(folder.name) and len(below[folder]) > 1 for folder in folders)
    if len(folders) > 1 and (crossed or dated) and not any(_has_images(folder, tally) for folder in folders):
        inner = twice if crossed else sorted(shared)
        held = "each with" if all(names >= set(inner) for names in below.values()) else "which hold"
        raise InputError(
            f"The classes of {base} may be the upper folders or the lower ones",
            found=f"{_listed(folders)}, {held} {', '.join(inner[:SHOWN])}",
            allowed="--layout class (the upper folders) or --layout group/class (the lower ones)",
            next_step="say which with --layout",
        )
    return "class"


def _by_class(base: Path, tally: Tally) -> tuple[list[ClassFolder], list[str]]:
    loose_in(base, "", tally)
    return [ClassFolder("", folder.name, folder) for folder in folders_in(base, "", tally)], []


def _by_split(base: Path, tally: Tally) -> tuple[list[ClassFolder], list[str]]:
    loose_in(base, "", tally)
    named: list[tuple[Split, Path]] = []
    for folder in folders_in(base, "", tally):
        split = split_word(folder.name)
        if split and folders_in(folder, ""):
            named.append((split, folder))
        elif count := _count(folder, tally):
            raise _no_part_of_it(base, folder, count, split)
    if "train" not in {split for split, _ in named}:
        raise InputError(
            f"The folder {base} has no folder to train on",
            found=_listed([folder for _, folder in named]),
            allowed=ALLOWED,
            next_step="name one train, or name the folder above with --layout class if these are classes",
        )
    found = []
    for split, folder in named:
        loose_in(folder, folder.name, tally)
        found += [ClassFolder(split, inner.name, inner) for inner in folders_in(folder, folder.name, tally)]
    return found, _renamed(named)


def _by_class_then_split(base: Path, tally: Tally) -> tuple[list[ClassFolder], list[str]]:
    loose_in(base, "", tally)
    found, named = [], []
    for folder in folders_in(base, "", tally):
        inner = folders_in(folder, folder.name, tally)
        other = [path for path in inner if split_word(path.name) is None]
        if other or loose_in(folder, folder.name, tally) or not inner:
            raise InputError(
                f"Some class folders of {base} hold split folders, and {folder.name} holds something else",
                found=_listed(other) if other else "images beside them" if inner else "no folders",
                allowed="train, val and test in every class folder, or in none",
                next_step="move these files, or say --layout class: subfolders then count as parts of their class",
            )
        for path in inner:
            split = split_word(path.name) or ""
            named.append((split, path))
            found.append(ClassFolder(split, folder.name, path))
    return found, ["The class folders hold split folders, which are read as the splits.", *_renamed(named)]


def _by_group(base: Path, tally: Tally) -> tuple[list[ClassFolder], list[str]]:
    loose_in(base, "", tally)
    found = []
    for folder in folders_in(base, "", tally):
        loose_in(folder, folder.name, tally)
        found += [ClassFolder("", inner.name, inner) for inner in folders_in(folder, folder.name, tally)]
    return found, []


_READERS: dict[Layout, Callable[[Path, Tally], tuple[list[ClassFolder], list[str]]]] = {
    "class": _by_class,
    "split/class": _by_split,
    "class/split": _by_class_then_split,
    "group/class": _by_group,
}


def _count(folder: Path, tally: Tally) -> int:
    """Images below a folder; where there are none its files are counted as passed over."""
    here = Tally(tally.pixels)
    count = sum(1 for _ in images_below(str(folder), folder.name, here))
    if not count:
        for row in here.counted():
            tally.add(row.where, row.what, row.example, picture=row.picture, count=row.count)
    return count


def _no_part_of_it(base: Path, folder: Path, count: int, split: Split | None) -> InputError:
    if split:
        return InputError(
            f"The folder {folder} must hold class folders, as the other split folders do",
            found=f"{count} images and no class folders",
            allowed=ALLOWED,
            next_step=f"move {folder.name} out of {base} if its classes are not known (azeotrope predict takes it), or "
            "sort its images into class folders",
        )
    return InputError(
        f"The folder {base} mixes split folders with others",
        found=f"{folder.name} with {count} images, whose name means neither train, val nor test",
        allowed=ALLOWED,
        next_step=f"rename {folder.name} or move it out of {base}; say --layout class if all of them are classes",
    )


def _renamed(named: Sequence[tuple[Split, Path]]) -> list[str]:
    """A word on every folder whose name is not the split's own."""
    unusual = {path.name: split for split, path in named if path.name.lower() != split}
    return [f"Folders called {name!r} are read as the split {split}." for name, split in sorted(unusual.items())]


def _listed(folders: Sequence[Path]) -> str:
    names = [folder.name for folder in folders]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
