"""Finds a family member by its file name: `losses/kl.py` is the loss `kl`.

There is no table and no registration. A file whose name starts with an underscore is not a member.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

from azeotrope.errors import InputError


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


def unknown(kind: str, key: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not known, with the nearest names that are."""
    names = list(known)
    near = nearest(key, names)
    return InputError(
        f"There is no {kind} named {key!r}",
        allowed=f"nearest: {', '.join(near)}" if near else ", ".join(sorted(names)[:20]),
        next_step="take one of these names, or see `azeotrope list`",
    )


def nearest(key: str, names: Iterable[str], count: int = 5) -> list[str]:
    """Up to `count` known names that resemble `key`, best first."""
    return difflib.get_close_matches(key, list(names), n=count, cutoff=0.5)
