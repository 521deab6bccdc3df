"""Which images belong together: a patient's, a film's, a place's. A group is a text beside each item.

What a group means for splits, subsets and folds is decided elsewhere (`data.division.split`, `data.division.subset`,
`teacher.heads.folds`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from azeotrope.data.sources._source import Item, Source
from azeotrope.errors import InputError

PARENT = "parent"  # the folder that an image lies in, by its name
_SHOWN = 3


def grouped_by_path(source: Source, pattern: str) -> Source:
    """The source with the group that `pattern` finds in each image's key: its first parenthesis, or all that it
    matches; with "parent" the name of the folder. Raises InputError for keys in which it finds nothing.
    """
    groups = [_group_in(item.key, pattern) for item in source.items]
    missed = [item.key for item, group in zip(source.items, groups, strict=True) if not group]
    if missed:
        raise InputError(
            "The group of every image must stand in its path",
            found=f"nothing for --group-by {pattern} in {len(missed):,} of {len(groups):,}, "
            f"such as {', '.join(missed[:_SHOWN])}",
            allowed="a regular expression that is found in every path, the group in parentheses, or parent",
            next_step="correct the pattern, or name the groups in a table's column (--group COLUMN)",
        )
    items = tuple(replace(item, group=group) for item, group in zip(source.items, groups, strict=True))
    return replace(source, items=items)


def with_groups(items: Iterable[Item], groups: Iterable[Any], name: str, column: str) -> list[Item]:
    """Items with the cells of a column as their groups. Raises InputError for an empty cell, of which NaN is one."""
    texts = ["" if cell is None or cell != cell else str(cell).strip() for cell in groups]
    missing = [str(place + 1) for place, text in enumerate(texts) if not text]
    if missing:
        raise InputError(
            f"Every image of {name} needs a group",
            found=f"{len(missing):,} of {len(texts):,} without one in the column {column!r}, "
            f"such as the images {', '.join(missing[:_SHOWN])}",
            next_step="fill these in; an image that belongs to no other gets a group of its own",
        )
    return [replace(item, group=text) for item, text in zip(items, texts, strict=True)]


def _group_in(key: str, pattern: str) -> str:
    if pattern == PARENT:
        return PurePosixPath(key).parent.name
    found = re.search(pattern, key)
    if found is None:
        return ""
    return next((part for part in found.groups() if part), "") if found.re.groups else found.group()
