"""Pictures without labels: every image below a folder or URL, however deep, or those of any labelled source.

Labels and splits of what is opened are forgotten: all pictures are of one class that means nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import fsspec

from azeotrope.data.sources._passed import Tally, images_below
from azeotrope.data.sources._source import Item, PassedOver, Source, Stamp, stamp_of
from azeotrope.data.task import open_source, schemes
from azeotrope.errors import InputError, message_of

UNLABELLED = ("unlabelled",)
_TABLES = (".csv", ".tsv", ".parquet")
_NEXT = "name a folder or URL with image files below it, or a source such as fashion-mnist"


def open_loose(spec: str) -> Source:
    """The pictures that `spec` names: a folder, a URL that fsspec can list (`s3://bucket/pictures`), a table, or
    `scheme:name`.

    Raises InputError when it is not there, cannot be listed, or holds no image.
    """
    if spec.partition(":")[0] in schemes() or spec.lower().endswith(_TABLES):
        labelled = open_source(spec)
        items = tuple(replace(item, label=0, split="") for item in labelled.items)
        return replace(labelled, classes=UNLABELLED, items=items)
    chosen, passed, read, stamp = _at_url(spec) if "://" in spec else _in_folder(spec)
    if not chosen:
        raise _no_picture(spec, passed)
    name = (PurePosixPath(spec.rstrip("/")) if "://" in spec else Path(spec)).name or spec
    items = tuple(Item(key, 0, "") for key in chosen)
    return Source(
        name,
        UNLABELLED,
        items,
        lambda place: read(chosen[place]),
        passed=passed,
        stamp=lambda place: stamp(chosen[place]),
    )


_Found: TypeAlias = "tuple[list[str], tuple[PassedOver, ...], Callable[[str], bytes], Callable[[str], Stamp | None]]"


def _in_folder(spec: str) -> _Found:
    root = Path(spec).expanduser()
    if not root.is_dir():
        raise InputError(f"There is no folder {root}", allowed="a folder, URL, table or scheme:name", next_step=_NEXT)
    tally = Tally()
    keys = sorted(Path(path).relative_to(root).as_posix() for path in images_below(str(root), "", tally))
    return keys, tally.counted(), lambda key: (root / key).read_bytes(), lambda key: stamp_of(root / key)


def _at_url(spec: str) -> _Found:
    try:
        system, root = fsspec.core.url_to_fs(spec)
        keys = sorted(str(path) for path in system.find(root))
    except Exception as error:  # every protocol has exceptions of its own, and a missing one raises ImportError
        said = message_of(error)
        raise InputError(f"The URL {spec} cannot be listed", found=f"{type(error).__name__}: {said}") from error
    tally, chosen = Tally(), []
    for key in keys:
        if tally.takes(PurePosixPath(key).name):
            chosen.append(key)
        else:
            tally.file("", key)
    return chosen, tally.counted(), lambda key: _fetched(system, key), lambda _: None


def _fetched(system: fsspec.AbstractFileSystem, key: str) -> bytes:
    content: bytes = system.cat_file(key)
    return content


def _no_picture(spec: str, passed: Sequence[PassedOver]) -> InputError:
    suffixes = Counter({row.what: row.count for row in passed})
    found = ", ".join(f"{count} files with suffix {suffix}" for suffix, count in suffixes.most_common(5))
    return InputError(
        f"There is no image below {spec}",
        found=found or "no files",
        allowed="files such as .jpg, .png, .webp, .tif, at any depth",
        next_step=_NEXT,
    )
