"""Names of classes as people write them: what is one class, what only looks alike, and one list for several splits.

Two spellings that differ in Unicode form or in spaces are one class. Names that differ in case, or as numbers do ("1",
"1.0"), may be two: they are kept apart and said.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

SHOWN = 5


def text_of(name: str) -> str:
    """A name from this machine's disk as text that can be written anywhere: UTF-8 in every locale, and bytes that are
    not are spelt out.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def on_disk(text: str) -> str:
    """The name by which this machine's disk knows a path that was written in UTF-8."""
    return text if text.isascii() else os.fsdecode(text.encode("utf-8", sys.getfilesystemencodeerrors()))


def reconciled(names: Iterable[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The class that each name as it is written means, and what a person should be told of it."""
    written = sorted(set(names))
    groups = _grouped(written, _same)
    meant = {name: _chosen(group) for group in groups.values() for name in group}
    words = [
        f"{meant[group[0]]!r} is written in {len(group)} ways, which differ in spaces or in the Unicode form of their "
        f"letters only ({', '.join(map(ascii, group[:SHOWN]))}): one class."
        for group in groups.values()
        if len(group) > 1
    ]
    return meant, (*words, *_alike(sorted(set(meant.values()))))


def in_one_list(
    parts: Sequence[tuple[Sequence[str], Sequence[Any]]],
) -> tuple[tuple[str, ...], list[list[Any]], tuple[str, ...]]:
    """Splits that number their classes apart, in one list: (names of its numbers, labels) of each split give the names
    of all, the labels of each split in that list, and what to tell. A label is a number or several.
    """
    meant, words = reconciled(name for names, _ in parts for name in names)
    classes = tuple(dict.fromkeys(meant[name] for names, _ in parts for name in names))
    place = {name: number for number, name in enumerate(classes)}
    moved: list[list[Any]] = []
    for names, labels in parts:
        numbers = [place[meant[name]] for name in names]
        moved.append([_moved(label, numbers) for label in labels])
    if len({tuple(names) for names, _ in parts}) > 1:
        words = (*words, "The splits number their classes differently: they were matched by name.")
    return classes, moved, words


def _moved(label: Any, numbers: Sequence[int]) -> Any:
    return tuple(numbers[one] for one in label) if isinstance(label, tuple | list) else numbers[label]


def _grouped(names: Iterable[str], key: Callable[[str], Hashable]) -> Mapping[Hashable, list[str]]:
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    return groups


def _same(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split()) or name


def _chosen(group: Sequence[str]) -> str:
    """The name of a class: as it is written where it is written in one way, without spaces around."""
    return unicodedata.normalize("NFC", group[0]).strip() or group[0] if len(group) == 1 else _same(group[0])


def _alike(names: Sequence[str]) -> Iterable[str]:
    for key, how in ((str.casefold, "in upper and lower case"), (_number, "in how a number is written")):
        for group in _grouped(names, key).values():
            if len(group) > 1:
                listed = ", ".join(map(repr, group[:SHOWN]))
                yield f"The classes {listed} differ {how} only: they are kept apart; rename them if they are one."


def _number(name: str) -> Hashable:
    """Equal for "1", "01" and "1.0"; a name that is no number is like no other."""
    try:
        value = float(name)
    except ValueError:
        return name
    return value if value == value else name
