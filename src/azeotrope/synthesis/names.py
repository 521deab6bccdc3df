"""Class names as words for a prompt. Folder names are made for computers: `polka-dotted`, `Faces_easy`, `n02085620`.

It cleans and warns; it does not look a name up in any data set's list, since a name means what the user's task says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azeotrope.errors import InputError
from azeotrope.lookup import nearest

_SYNTAX = re.compile(r"[()\[\]{}<>|:\\]|\bAND\b|\bBREAK\b")  # weights, lora tags, wildcards, conjunctions of prompt UIs
_SAYS_NOTHING = re.compile(r"(n\d{8}|\d+|[a-z]|(class|label|category|type|cls|c)\s?\d+)", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"^\d+[\s.]+(?=\D)")  # CUB's `001.Black_footed_Albatross`
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DESCRIPTIONS = "give --descriptions FILE with a line `class = words` for it"


@dataclass(frozen=True)
class Words:
    """What to call each class in a prompt, in the order of the labels, and what a person should know of it."""

    words: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def clean(name: str) -> str:
    """Underscores, dashes and camel humps to spaces, a leading number away, lower case: `Faces_easy` -> `faces easy`.

    An all-capital name (`CT`, `PET scan`) keeps its capitals.
    """
    spaced = _HUMP.sub(" ", re.sub(r"[_\-/+]+", " ", name))
    words = _LEADING_NUMBER.sub("", " ".join(spaced.split())).split()
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)


def class_words(classes: Sequence[str], descriptions: Mapping[str, str] | None = None) -> Words:
    """Words for every class: the user's description where there is one, else the cleaned name.

    Raises InputError for words that are empty, that two classes share, or that hold prompt syntax; warns of names that
    tell a generator nothing.
    """
    given = descriptions or {}
    _check_known(given, classes)
    words = tuple(" ".join(given[name].split()) if name in given else clean(name) for name in classes)
    _check(classes, words)
    silent = [name for name, said in zip(classes, words, strict=True) if _SAYS_NOTHING.fullmatch(said)]
    warning = f"{len(silent)} class names tell a generator nothing: {', '.join(silent[:5])}; {_DESCRIPTIONS}"
    return Words(words, (warning,) if silent else ())


def read_descriptions(path: Path) -> dict[str, str]:
    """Lines `class = words`; empty lines and lines that start with # are passed over. Raises InputError."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The descriptions {path} cannot be read", found=str(error), allowed="text in UTF-8"
        ) from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, words = line.partition("=")
        if not equals or not words.strip():
            raise InputError(
                f"Line {number} of {path} is not a description",
                found=repr(line),
                allowed="class = words, such as `n02085620 = chihuahua, a very small dog`",
            )
        found[name.strip()] = words.strip()
    return found


def _check_known(given: Mapping[str, str], classes: Sequence[str]) -> None:
    for name in given:
        if name not in classes:
            near = ", ".join(nearest(name, classes)) or ", ".join(classes[:5])
            raise InputError(
                "A description must be of a class of the task", found=repr(name), allowed=f"nearest: {near}"
            )


def _check(classes: Sequence[str], words: Sequence[str]) -> None:
    pairs = list(zip(classes, words, strict=True))
    for name, said in pairs:
        if not said:
            raise InputError(
                "Every class needs a name for its prompt", found=f"nothing left of {name!r}", next_step=_DESCRIPTIONS
            )
        if _SYNTAX.search(said):
            raise InputError(
                "The words of a class must not hold prompt syntax",
                found=repr(said),
                allowed="plain words, without ()[]{}<>|:\\ and without AND or BREAK",
                next_step=_DESCRIPTIONS,
            )
    for said, count in Counter(said.casefold() for _, said in pairs).items():
        if count > 1:
            same = [name for name, other in pairs if other.casefold() == said]
            raise InputError(
                "Two classes must not share their words, or their pictures could not be told apart",
                found=f"{', '.join(map(repr, same))} all become {said!r}",
                next_step=_DESCRIPTIONS,
            )
