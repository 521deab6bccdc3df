"""Options behind the name of a source: `hf:NAME?test=validation`, `torchvision:DTD?partition=3`.

They choose among what a set offers itself: its splits, its partitions. What a label is stands in `LabelSpec`.
"""

from __future__ import annotations

from collections.abc import Collection

from azeotrope.errors import InputError
from azeotrope.lookup import nearest


def parted(name: str, allowed: Collection[str], source: str) -> tuple[str, dict[str, str]]:
    """`NAME?key=value&key=value` as the name and its options; a question mark without `=` behind it is part of the
    name.

    Raises InputError for an option that `source` does not have, for one without a value, and for one given twice.
    """
    place, mark, query = name.rpartition("?")
    if not mark or "=" not in query:
        return name, {}
    options: dict[str, str] = {}
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key not in allowed or not value or key in options:
            near = nearest(key, allowed)
            raise InputError(
                f"The options of {source}:{place} are given once each, as OPTION=VALUE",
                found=f"{part!r} in {query!r}" + (f" (nearest: {', '.join(near)})" if near and key != near[0] else ""),
                allowed=", ".join(allowed) or "none for this set",
                next_step=f"correct or remove what stands after the question mark in {source}:{name}",
            )
        options[key] = value
    return place, options
