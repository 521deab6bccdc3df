"""Pictures drawn by formula: any number of classes and pictures, without a download, to pre-train a student on.

A class is a fractal (`_ifs`), its pictures are disturbed copies. Picture (seed, class, number) is the same in every set
that holds it, so that a larger set contains the smaller one. What is drawn is drawn when it is read; nothing is kept.
"""

from __future__ import annotations

import hashlib
import re
from itertools import product
from typing import Any

from pydantic import Field

from azeotrope.data.sources._ifs import FORMULA, picture
from azeotrope.data.sources._source import Formula, Item, Source, Split
from azeotrope.errors import InputError
from azeotrope.spec import Spec, validated

FORM = "fractals:CLASSESxPICTURES[,size=64][,seed=0][,grey], such as fractals:100x640 or fractals:64x1000,size=32,grey"
HELD_OUT = 4  # for each so many pictures that train there is one more to validate and one to test
_FIRST: dict[Split, int] = {"train": 0, "val": 1 << 40, "test": 1 << 41}  # number of a split's first picture


class Asked(Spec):
    """What the name says. `pictures` of each class train; `size` is in pixels."""

    classes: int = Field(ge=2, le=10_000)
    pictures: int = Field(ge=1, le=10_000_000)
    size: int = Field(default=64, ge=16, le=512)
    seed: int = Field(default=0, ge=0, lt=1 << 32)
    grey: bool = False

    def checksum(self, kind: int, number: int) -> str:
        """SHA-256 of all that decides this picture, in place of its pixels."""
        text = f"{FORMULA}/{self.size}/{self.grey}/{self.seed}/{kind}/{number}"
        return hashlib.sha256(text.encode()).hexdigest()


def open_source(name: str = "") -> Source:
    """The pictures that `name` describes: CLASSESxPICTURES, then options after commas (`FORM`).

    For every 4 pictures of a class that train there is one more in the val and one in the test split. Raises InputError
    for a name of another form.
    """
    asked = _parse(name)
    held_out = -(-asked.pictures // HELD_OUT)
    counts: dict[Split, int] = {"train": asked.pictures, "val": held_out, "test": held_out}
    numbers = [(split, _FIRST[split] + place) for split, count in counts.items() for place in range(count)]
    places = [(kind, number) for kind, (_, number) in product(range(asked.classes), numbers)]
    digits = len(str(asked.classes - 1))
    return Source(
        name=f"fractals:{name}",
        classes=tuple(f"fractal {kind:0{digits}}" for kind in range(asked.classes)),
        items=tuple(
            Item(f"{split}/{kind:0{digits}}/{number - _FIRST[split]}", kind, split)
            for kind, (split, number) in product(range(asked.classes), numbers)
        ),
        read=lambda row: picture(asked.seed, *places[row], asked.size, grey=asked.grey),
        formula=Formula(
            asked.size, asked.size, 1 if asked.grey else 3, checksum=lambda row: asked.checksum(*places[row])
        ),
    )


def _parse(name: str) -> Asked:
    counts, *options = name.split(",")
    found = re.fullmatch(r"(\d+)x(\d+)", counts.strip())
    if found is None:
        raise InputError(
            "The source `fractals` needs to know how many classes and how many pictures of each",
            found=repr(name),
            allowed=FORM,
            next_step="write the two numbers with an x between them",
        )
    content: dict[str, Any] = {"classes": found[1], "pictures": found[2]}
    for option in options:
        key, _, value = option.strip().partition("=")
        content[key] = value or True
    return validated(Asked, content, what=f"source 'fractals:{name}'", allowed=FORM)
