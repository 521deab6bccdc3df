"""Shards of WebDataset: tar files in which `key.jpg` and `key.cls` lie beside each other, on a disk or at an address.

`webdataset:train-{0000..0099}.tar`, a folder of `.tar` files, a pattern (`shards/*.tar`), or any of these as a URL that
fsspec opens. What comes before the number says the split (`train-0001.tar`, `val-0001.tar`). Nothing is unpacked: the
names in a shard say where each picture begins, and its bytes are read from there. Pictures of one shard follow each
other in the task, so that a command reads a shard from its beginning to its end.

`.cls` holds a class as text, or a number, which is the line of `classes.txt` where that lies beside the shards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from azeotrope.data.sources._copies import Copies
from azeotrope.data.sources._labels import sorted_classes
from azeotrope.data.sources._passed import SUFFIXES
from azeotrope.data.sources._shards import Packed, Tar, open_tar, shards_of, unsigned
from azeotrope.data.sources._source import Item, PassedOver, Source, Split, class_index
from azeotrope.data.sources._splits import split_word
from azeotrope.errors import InputError

_CLASSES_FILE = "classes.txt"


def open_source(name: str) -> Source:
    """The pictures of the shards that `name` means. Raises InputError where there is none, where one is cut short or no
    tar file, and where a picture has no class.
    """
    copies = Copies()
    tars = [open_tar(url, copies) for url in shards_of(name)]
    _require_names_apart(tars)
    others = Counter({(tar.name, what): count for tar in tars for what, count in tar.others.items()})
    pictures = [(tar, packed) for tar in tars for packed in tar.pictures]
    if not pictures:
        raise InputError(
            f"The shards of webdataset:{name} hold no picture",
            found=f"{len(tars)} shards with {', '.join(sorted({what for _, what in others})) or 'nothing'}",
            allowed="KEY.jpg (.png, .webp, ...) and KEY.cls beside each other",
            next_step="check the shards with `tar -t`",
        )
    labels = [_label(tar, packed) for tar, packed in pictures]
    classes, index = _numbered(labels, _listed_classes(tars[0]), pictures)
    splits = _splits(tars)
    items = tuple(
        Item(f"{tar.name}/{packed.name}", label, splits[tar.name])
        for (tar, packed), label in zip(pictures, index, strict=True)
    )

    def read(place: int) -> bytes:
        tar, packed = pictures[place]
        return tar.read(packed.start, packed.size)

    return Source(
        PurePosixPath(unsigned(name).rstrip("/")).stem,
        classes,
        items,
        read,
        passed=tuple(
            PassedOver(shard, what, count, shard, picture=f".{what.rpartition('.')[2]}" in SUFFIXES)
            for (shard, what), count in sorted(others.items())
        ),
        stamp=lambda place: pictures[place][0].stamp(pictures[place][1]),
    )


def _label(tar: Tar, packed: Packed) -> str:
    if not packed.label:
        there = "without" if packed.label is None else "with an empty"
        raise InputError(
            "Every picture of a shard has its class beside it",
            found=f"{packed.name} in {tar.url} {there} {packed.key}.cls",
            allowed="KEY.cls, one after the other with KEY.jpg, holding a name or a number",
            next_step="write it into the shard, or leave this picture out",
        )
    return packed.label


def _numbered(
    labels: Sequence[str], listed: Sequence[str], pictures: Sequence[tuple[Tar, Packed]]
) -> tuple[tuple[str, ...], list[int]]:
    """The classes, and the number of each picture's."""
    if listed and all(label.isdecimal() and int(label) < len(listed) for label in labels):
        _require_one_meaning(labels, listed)
        return tuple(listed), [int(label) for label in labels]
    classes = tuple(listed) or sorted_classes(set(labels))
    where = lambda place: f"{pictures[place][1].name} in {pictures[place][0].url}"  # noqa: E731 (one line)
    return classes, class_index(labels, classes, where, _CLASSES_FILE if listed else "")


def _require_one_meaning(labels: Sequence[str], listed: Sequence[str]) -> None:
    """Raises InputError where a number means one line by its place and is another one."""
    for label in dict.fromkeys(labels):
        if label in listed and listed[int(label)] != label:
            raise InputError(
                f"A number in .cls means a line of {_CLASSES_FILE} by its place, from 0",
                found=f".cls {label}, which means {listed[int(label)]!r} by its place, and is line "
                f"{listed.index(label)} too",
                allowed="names that are no such numbers, or 0, 1, 2, ... in their order",
                next_step=f"take {_CLASSES_FILE} away if .cls holds names, else give its lines other names",
            )


def _listed_classes(first: Tar) -> list[str]:
    """The lines of `classes.txt` beside the shards; nothing where there is none. A number means a line by its place, so
    an empty one or one that comes twice is refused.
    """
    content = first.beside(_CLASSES_FILE)
    lines = [line.strip() for line in (content or b"").decode("utf-8-sig", "backslashreplace").strip().splitlines()]
    for place, line in enumerate(lines, start=1):
        if not line or line in lines[: place - 1]:
            raise InputError(
                f"Each line of the {_CLASSES_FILE} beside {first.url} must name another class",
                found=f"line {place} is {line!r} once more" if line else f"line {place} is empty",
                allowed="one class a line; .cls 0 means the first",
                next_step="correct the file, or take it away if .cls holds names",
            )
    return lines


def _require_names_apart(tars: Sequence[Tar]) -> None:
    """Raises InputError for two shards of one name, whose pictures could not be told apart."""
    (name, count), *_ = Counter(tar.name for tar in tars).most_common(1)
    if count > 1:
        raise InputError(
            "Each shard needs a name of its own",
            found=f"{name} in {count} places: {', '.join(tar.url for tar in tars if tar.name == name)}",
            allowed="shards of different names, in one folder or in several",
            next_step="rename one of them",
        )


def _splits(tars: Sequence[Tar]) -> dict[str, Split]:
    """What the names of the shards say: all of them a split, or none."""
    found = {tar.name: split_word(PurePosixPath(tar.name).stem) for tar in tars}
    said = Counter(split for split in found.values() if split)
    if not said or set(said) == {"train"} == {split or "" for split in found.values()}:
        return dict.fromkeys(found, "")
    silent = [name for name, split in found.items() if split is None]
    if silent or "train" not in said:
        raise InputError(
            "The names of shards say a split, all of them or none",
            found=f"{silent[0]} beside shards of {', '.join(sorted(said))}" if silent else f"only {', '.join(said)}",
            allowed="train-0000.tar, val-0000.tar, test-0000.tar; azeotrope makes the splits where no name says one",
            next_step="rename the shards, or name those that are meant with a pattern",
        )
    return {name: split for name, split in found.items() if split is not None}
