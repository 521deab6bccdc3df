"""Finds a family member by its file name: `losses/kl.py` is the loss `kl`.

There is no table and no registration. A file whose name starts with an underscore is not a member.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from types import ModuleType

from azeotrope.errors import InputError

_LISTED = 20  # names that a message can still list whole
_SAMPLE = 5


def members(family: str) -> list[str]:
    """Keys of the family, sorted: `members("losses")` -> ["align_uniform", "cross_entropy", "kl"]."""
    package = importlib.import_module(f"azeotrope.{family}")
    found = (info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))
    return sorted(found)


def member(family: str, key: str, kind: str) -> ModuleType:
    """The module of one member. `kind` is the word used in the error ("loss", "law", "model source").

    Raises InputError with the nearest names when there is no such member.
    """
    name = key.replace("-", "_")
    if name not in members(family):
        raise unknown(kind, key, members(family))
    return importlib.import_module(f"azeotrope.{family}.{name}")


def as_typed(name: str) -> str:
    """The key of an export target, as it is typed and recorded, of any spelling: ` ONNX_int8` is `onnx-int8`."""
    return name.strip().lower().replace("_", "-")


def unknown(kind: str, key: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not known, with the nearest names that are."""
    names = sorted(known)
    near = nearest(key, names)
    return InputError(
        f"There is no {kind} named {key!r}",
        allowed=f"nearest: {', '.join(near)}" if near else some(names),
        next_step="take one of these names, or see `azeotrope list`",
    )


def some(names: Sequence[str]) -> str:
    """All of a few names; of many, how many there are and the first ones."""
    if len(names) <= _LISTED:
        return ", ".join(names)
    return f"{len(names):,} names, such as {', '.join(names[:_SAMPLE])}"


def nearest(key: str, names: Iterable[str], count: int = 5) -> list[str]:
    """Up to `count` known names that resemble `key`, best first, whether letters are small or large."""
    known = {name.lower(): name for name in names}
    return [known[found] for found in difflib.get_close_matches(key.lower(), known, n=count, cutoff=0.5)]
