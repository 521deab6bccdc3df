"""The one place that decides which words mean train, val and test: names of folders, of columns, and what stands in
them.

A word that may mean two splits (`eval`) means none here, so that the person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from azeotrope.data.sources._source import Split
from azeotrope.errors import InputError

_WORDS: Mapping[str, Split] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "development", "publictest"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "holdout", "heldout", "privatetest"), "test"),
}
_BESIDE = (
    "datasets",
    "dataset",
    "data",
    "sets",
    "set",
    "split",
    "images",
    "image",
    "imgs",
    "img",
    "pictures",
    "photos",
)
COLUMNS = (
    *("split", "set", "subset", "partition", "phase", "usage", "fold", "stage", "purpose"),
    *("data_split", "dataset_split", "split_name", "data_set", "dataset"),
)
"""What a column of splits is called; `split` itself may hold nothing else."""
_YES_NO = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True, "no": False, "yes": True}
NONE = "none"  # what --split-column takes where no column says a split
SHOWN = 6


def split_word(text: str) -> Split | None:
    """The split that a name means ("valid", "training_set", "Test2017" -> "test"); None for any other."""
    tokens = re.findall(r"[a-z]+", text.lower())
    kept = [word for token in tokens if (word := _bare(token))]
    return _WORDS.get("".join(kept)) if len(kept) == 1 or kept in (["public", "test"], ["private", "test"]) else None


def split_of(text: str | None, where: str) -> Split:
    """The split that a cell names, "" for an empty one. Raises InputError for a word that names none."""
    if text is None or not text.strip():
        return ""
    if (found := split_word(text)) is None:
        raise InputError(
            f"{where} names an unknown split",
            found=repr(text),
            allowed="train, val or test (or empty: azeotrope then makes the splits)",
            next_step=f"rename it, or say --split-column {NONE} if the column means something else",
        )
    return found


def flag_of(column: str) -> Split | None:
    """The split whose images a column of yes and no marks: `is_valid`, `test`; None for any other name."""
    name = plain(column)
    return split_word(name.removeprefix("is_")) if name.removeprefix("is_") in _WORDS else None


def plain(column: str) -> str:
    """A column's name without what people write differently: case, spaces, hyphens."""
    return re.sub(r"[\s\-]+", "_", column.strip().lower())


def answer(cell: str) -> bool | None:
    """Yes, no, or neither."""
    return _YES_NO.get(cell.strip().lower())


def words_in(cells: Sequence[str | None]) -> tuple[set[Split], list[str]]:
    """The splits that a column's different cells name, and the cells that name none."""
    different = sorted({cell.strip() for cell in cells if cell is not None and cell.strip()})
    return {word for cell in different if (word := split_word(cell))}, [c for c in different if split_word(c) is None]


def _bare(token: str) -> str:
    """The token without `set`, `data` and the like at its end."""
    for word in _BESIDE:
        if token.endswith(word) and (token == word or token.removesuffix(word) in _WORDS):
            return token.removesuffix(word)
    return token
