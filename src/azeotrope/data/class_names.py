"""Class names that are no classes: the parts into which somebody cut an archive, taken for folders of classes.

It only says so. Images sorted by shard can be learnt by nobody, and an error near chance does not tell why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PARTS = (
    "data|shard|part|chunk|batch|archive|tar|fold|partition|bucket|subset|split|volume|train|test|val|valid|images?"
)
_SHARD = re.compile(rf"({_PARTS})[-_. ]?\d+", re.IGNORECASE)


def look_like_shards(classes: Sequence[str]) -> bool:
    """Whether all names are one word for a part of a whole with a number behind it: data_0, data_1; part-00001."""
    words = {match[1].lower() if (match := _SHARD.fullmatch(name.strip())) else "" for name in classes}
    return len(classes) > 1 and len(words) == 1 and "" not in words


def shard_warning(classes: Sequence[str]) -> str | None:
    """The same as a sentence with its next step; None where the names are names."""
    if not look_like_shards(classes):
        return None
    shown = ", ".join(classes[:3]) + (", ..." if len(classes) > 3 else "")
    return (
        f"The names of the classes ({shown}) look like the parts of an archive, not like classes: the images may be "
        "sorted by where they were stored. If so, list them with their labels in a table, or move them into folders of "
        "classes."
    )
