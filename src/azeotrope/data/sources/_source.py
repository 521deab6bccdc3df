"""What every source of labelled images gives: names, labels, splits and a way to read one image.

It holds no pixels of its own and decodes nothing (`data.decode`). Class names and keys are data: shown escaped, never
used as a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from azeotrope.errors import InputError
from azeotrope.labels import KindName
from azeotrope.lookup import nearest

Split: TypeAlias = Literal["train", "val", "test", ""]
Raw: TypeAlias = "bytes | NDArray[np.uint8]"
Label: TypeAlias = "int | tuple[int, ...] | float"
Part: TypeAlias = "tuple[int, Callable[[int], Raw]]"  # so many images, and how to read one

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled image. `key` names it to a person; `split` is "" where none was given.

    `label` indexes the classes; where an image may have several it lists them, and of a kind `number` it is the value.
    """

    key: str
    label: Label
    split: Split


@dataclass(frozen=True)
class Formula:
    """What is known of images that a formula draws, before any is drawn: their size in pixels, and a `checksum(i)`
    (SHA-256, hex) of all that decides image `i`.
    """

    height: int
    width: int
    channels: int
    checksum: Callable[[int], str]


@dataclass(frozen=True)
class Source:
    """A labelled image set.

    `read(i)` gives the bytes of file `i`, or its pixels as uint8 [H, W] or [H, W, 3]; it is called from several
    threads. `mirror` is False where a horizontal flip changes the class (digits, letters, traffic signs). With a
    `formula` the images are listed without being read. Of the kind `number`, `classes` holds one name, that of what is
    measured, and `unit` is its unit.
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


def split_of(text: str | None, where: str) -> Split:
    """The split that this word means ("valid" -> "val"). Raises InputError for a word that names none."""
    if text is None or not text.strip():
        return ""
    if text.strip().lower() not in SPLIT_NAMES:
        raise InputError(
            f"{where} names an unknown split",
            found=repr(text),
            allowed="train, val or test (or empty: azeotrope then makes the splits)",
            next_step="rename it",
        )
    return SPLIT_NAMES[text.strip().lower()]


def class_index(labels: Iterable[str], classes: Sequence[str], where: Callable[[int], str]) -> list[int]:
    """Index of each label in `classes`. Raises InputError for a label that is not in the list; `where(i)` names the
    place.
    """
    index = {name: number for number, name in enumerate(classes)}
    numbers = []
    for place, label in enumerate(labels):
        if label not in index:
            near = nearest(label, classes)
            raise InputError(
                "Every label must be in the list of classes",
                found=f"{label!r} at {where(place)}",
                allowed=f"nearest: {', '.join(near)}" if near else f"one of {len(classes)} classes",
                next_step="correct the label, or add the class to the list",
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
