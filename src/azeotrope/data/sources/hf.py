"""Image sets of the `datasets` library: by their name on the hub, or a folder on this machine.

`hf:NAME`, `hf:NAME@CONFIG`, `hf:NAME#COLUMN` (the column of labels, where there are several) and `hf:FOLDER` (written
by `save_to_disk`, or any folder the library can load). No code from the hub is run: sets that need a script are
refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.sources._source import SPLIT_NAMES, Item, Part, Source, Split, joined, numbered_items
from azeotrope.errors import InputError, MissingDependency

try:
    import datasets
except ImportError as error:
    raise MissingDependency(
        "The source `hf` needs the package datasets", next_step="install it: pip install 'azeotrope[hf]'"
    ) from error


def open_source(name: str) -> Source:
    """The set `name`. Raises InputError when it cannot be had, or has no column of images or of labels.

    Splits named train, validation and test are used, others ("extra", "unsupervised") are not; one split alone counts
    as none given.
    """
    place, _, column = name.partition("#")
    path, _, config = place.partition("@")
    sets = _by_split(_load(path, config or None), name)
    features = next(iter(sets.values())).features
    image = _column(features, datasets.Image, "images", name)
    label = _column(features, datasets.ClassLabel, "labels", name, column)
    items: list[Item] = []
    parts: list[Part] = []
    for split, images in sets.items():
        labels = _labels(images, label, name)
        items += numbered_items(labels, split)
        parts.append((len(labels), _Reader(images, image)))
    licence = next(iter(sets.values())).info.license or None
    return Source(f"hf:{Path(path).name}", tuple(features[label].names), items, joined(parts), licence=licence)


class _Reader:
    """Bytes of image `place` as they were stored; the library would decode them its own way."""

    def __init__(self, images: Any, column: str) -> None:
        self._images = images.select_columns([column]).cast_column(column, datasets.Image(decode=False))
        self._column = column

    def __call__(self, place: int) -> bytes:
        stored = self._images[place][self._column]
        content: bytes | None = stored["bytes"]
        return Path(stored["path"]).read_bytes() if content is None else content


def _load(path: str, config: str | None) -> Any:
    """A Dataset or a DatasetDict (untyped in that library)."""
    folder = Path(path).expanduser()
    try:
        if any((folder / name).is_file() for name in ("dataset_dict.json", "state.json")):
            return datasets.load_from_disk(str(folder))
        return datasets.load_dataset(str(folder) if folder.is_dir() else path, config)
    except Exception as error:  # the library, its parsers and its network client each have exceptions of their own
        raise InputError(
            f"The image set hf:{path} cannot be had",
            found=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            allowed="a name on the hub, a folder written by save_to_disk, or a folder of images or Parquet files",
            next_step="check the name, the network, and for a set with several configurations write hf:NAME@CONFIG",
        ) from error


def _by_split(loaded: Any, name: str) -> Mapping[Split, Any]:
    if not isinstance(loaded, Mapping):
        return {"": loaded}
    if len(loaded) == 1:
        return {"": next(iter(loaded.values()))}
    known: dict[Split, Any] = {SPLIT_NAMES[split]: part for split, part in loaded.items() if split in SPLIT_NAMES}
    if "train" not in known:
        raise InputError(
            f"The image set hf:{name} has several splits but none to train on",
            found=", ".join(loaded),
            allowed="train, and where there are any, validation and test",
            next_step="rename the splits and write the set with save_to_disk",
        )
    return known


def _column(features: Mapping[str, object], kind: type, what: str, name: str, wanted: str = "") -> str:
    """The one column of this kind; the one called "label" or "image" where there are several."""
    found = [column for column, feature in features.items() if isinstance(feature, kind)]
    choice = [column for column in found if column == wanted] if wanted else found
    if len(choice) > 1:
        choice = [column for column in found if column in ("image", "label")]
    if len(choice) == 1:
        return choice[0]
    raise InputError(
        f"The image set hf:{name} needs one column of {what} (a feature of type {kind.__name__})",
        found=", ".join(f"{column}: {type(feature).__name__}" for column, feature in features.items()),
        allowed=", ".join(found) or "none is there",
        next_step="write hf:NAME#COLUMN to choose the column of labels"
        if len(found) > 1
        else "cast the column, for labels with class_encode_column, and write the set with save_to_disk",
    )


def _labels(images: Any, column: str, name: str) -> NDArray[np.int64]:
    labels = [-1 if label is None else label for label in images.select_columns([column])[:][column]]
    missing = labels.count(-1)  # the library's mark for a label that is kept secret
    if missing:
        raise InputError(
            f"Every image of hf:{name} needs a label",
            found=f"{missing} of {len(labels)} in one split without one",
            next_step="remove these rows, or the split whose labels are secret, and write the set with save_to_disk",
        )
    return np.array(labels, dtype=np.int64)
