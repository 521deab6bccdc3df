"""What every source of labelled images gives: names, labels, splits and a way to read one image.

It holds no pixels of its own and decodes nothing (`data.decoding.decode`). Class names and keys are data: shown
escaped, never used as a path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from azeotrope.errors import InputError
from azeotrope.labels import KindName
from azeotrope.lookup import nearest, some

Split: TypeAlias = Literal["train", "val", "test", ""]
Raw: TypeAlias = "bytes | NDArray[np.uint8]"
Label: TypeAlias = "int | tuple[int, ...] | float"
Part: TypeAlias = "tuple[int, Callable[[int], Raw]]"  # so many images, and how to read one


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled image. `key` names it to a person; `split` is "" where none was given, `group` where none was named.

    `label` indexes the classes; where an image may have several it lists them, and of a kind `number` it is the value.
    """

    key: str
    label: Label
    split: Split
    group: str = ""


@dataclass(frozen=True)
class PassedOver:
    """Files that are not among the items: how many of one kind (".jxl", "hidden", "@eaDir") lie in one class folder
    ("" above the classes), with an example. `picture` says whether they may be pictures that the user wants.
    """

    where: str
    what: str
    count: int
    example: str
    picture: bool


@dataclass(frozen=True)
class Formula:
    """What is known of images that a formula draws, before any is drawn: their size in pixels, and a `checksum(i)`
    (SHA-256, hex) of all that decides image `i`.
    """

    height: int
    width: int
    channels: int
    checksum: Callable[[int], str]


class Stamp(NamedTuple):
    """What tells without reading an image whether its content is still the same: the file it lies in (and where in
    it), its bytes, and when its content and its entry on the disk were last changed (nanoseconds since 1970; Windows
    tells when the entry was made).
    """

    where: str
    size: int
    modified: int
    changed: int


@dataclass(frozen=True)
class Source:
    """A labelled image set.

    `read(i)` gives the bytes of file `i`, or its pixels as uint8 [H, W] or [H, W, 3]; it is called from several
    threads. `mirror` is False where a horizontal flip changes the class (digits, letters, traffic signs). With a
    `formula` the images are listed without being read. Of the kind `number`, `classes` holds one name, that of what is
    measured, and `unit` is its unit. `words` are sentences on how names and layout were read, `passed` is what was not
    taken. `stamp(i)` is the stamp of image `i`, None where it has none (an address, a file that has gone); without it
    images are read again by every command.
    """

    name: str
    classes: tuple[str, ...]
    items: Sequence[Item]
    read: Callable[[int], Raw]
    mirror: bool = True
    licence: str | None = None
    formula: Formula | None = None
    kind: KindName = "single"
    unit: str | None = None
    words: tuple[str, ...] = ()
    passed: tuple[PassedOver, ...] = ()
    stamp: Callable[[int], Stamp | None] | None = None


def stamp_of(path: str | Path, inside: str = "") -> Stamp | None:
    """The stamp of a file, or of what lies `inside` it. None where the file cannot be found."""
    where = os.fspath(path)
    try:
        status = os.stat(where)  # noqa: PTH116 (a Path for each of a million files costs more than the call)
    except (OSError, ValueError):
        return None
    if not where.startswith(os.sep):
        where = os.path.abspath(where)  # noqa: PTH100 (as above)
    return Stamp(f"{where}\0{inside}", status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def class_index(
    labels: Iterable[str], classes: Sequence[str], where: Callable[[int], str], listed_in: str = ""
) -> list[int]:
    """Index of each label in `classes`. Raises InputError for a label that is not in the list; `where(i)` names the
    place, `listed_in` the file that holds the list.
    """
    index = {name: number for number, name in enumerate(classes)}
    numbers = []
    for place, label in enumerate(labels):
        if label not in index:
            near = nearest(label, classes)
            raise InputError(
                f"Every label must be in the list of classes{f' {listed_in}' if listed_in else ''}",
                found=f"{label!r} at {where(place)}",
                allowed=f"nearest: {', '.join(near)}" if near else some(classes),
                next_step="correct the label, or add the class to the list"
                + (f"; move {listed_in} away if it belongs to another tool" if listed_in else ""),
            )
        numbers.append(index[label])
    return numbers


def numbered_items(labels: NDArray[np.integer], split: Split, start: int = 0) -> tuple[Item, ...]:
    """Items of an array without file names, keyed "train/17"; `start` is the number of the first."""
    return keyed_items(cast("list[int]", labels.tolist()), split, start)


def keyed_items(labels: Sequence[Label], split: Split, start: int = 0) -> tuple[Item, ...]:
    """The same of labels of any kind."""
    prefix = f"{split}/" if split else ""
    return tuple(Item(f"{prefix}{place}", label, split) for place, label in enumerate(labels, start))


def joined(parts: Sequence[Part]) -> Callable[[int], Raw]:
    """One `read` for several parts laid end to end."""
    ends = np.cumsum([count for count, _ in parts])

    def read(place: int) -> Raw:
        part = int(np.searchsorted(ends, place, side="right"))
        count, read_part = parts[part]
        return read_part(place - int(ends[part]) + count)

    return read
