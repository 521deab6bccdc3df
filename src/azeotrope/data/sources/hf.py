"""Image sets of the `datasets` library: by their name on the hub, or a folder on this machine.

`hf:NAME`, `hf:NAME@CONFIG`, `hf:NAME#COLUMN` (the column of labels, where there are several) and `hf:FOLDER` (written
by `save_to_disk`, or any folder the library can load); `hf:NAME?test=validation` says which split serves as which
(`train`, `val`, `test`), and all together are written `hf:NAME@CONFIG?test=SPLIT#COLUMN`. No code from the hub is run:
sets that need a script are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azeotrope.data.sources._groups import with_groups
from azeotrope.data.sources._names import in_one_list
from azeotrope.data.sources._passed import UNUSED_SPLITS
from azeotrope.data.sources._query import parted
from azeotrope.data.sources._source import Item, Part, PassedOver, Source, Split, joined, keyed_items
from azeotrope.data.sources._splits import split_word
from azeotrope.errors import InputError, MissingDependency, first_line
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.lookup import nearest

try:
    import datasets

    from azeotrope.data.sources._hf_labels import (
        is_image,
        label_column,
        labels_of,
        numbered,
        one_column,
        require_cells,
    )
except ImportError as error:
    raise MissingDependency(
        "The source `hf` needs the package datasets", next_step="install it: pip install 'azeotrope[hf]'"
    ) from error


TAKES = ("kind", "column", "separator", "unit", "group")


def open_source(name: str) -> Source:
    """The set `name`. Raises InputError when it cannot be had, or has no column of images or of labels.

    Splits named train, validation and test are used, others ("extra", "unsupervised") are passed over; one split alone
    counts as none given. A query says otherwise: what it names serves as it says, and serves as nothing else. Splits
    that number their classes apart are matched by name.
    """
    return open_labelled(name, ONE_CLASS)


def open_labelled(name: str, labels: LabelSpec) -> Source:
    """The same with the labels that are asked for: one class an image, a list of them, or a number."""
    place, _, column = name.partition("#")
    place, chosen = parted(place, _ROLES, "hf")
    path, _, config = place.partition("@")
    loaded = _load(path, config or None)
    sets = _chosen(loaded, chosen, name) if chosen else _by_split(loaded, name)
    passed = _not_used(loaded, sets, on_purpose=bool(chosen))
    features = next(iter(sets.values())).features
    image = one_column(features, is_image, "images (a feature of type Image)", name)
    label = label_column(features, name, labels.model_copy(update={"column": labels.column or column or None}))
    for images in sets.values():
        _require_columns(images.features, (image, label, *([labels.group] if labels.group else [])), name)
    if labels.group:
        require_cells(features, labels.group, label, name)
    found = [labels_of(images, label, name, labels.kind, role) for role, images in sets.items()]
    classes: tuple[str, ...] = (label,)
    words: tuple[str, ...] = ()
    if labels.kind != "number":
        own = [images.features[label] for images in sets.values()]
        by_split = [numbered(feature, values, labels.kind) for feature, values in zip(own, found, strict=True)]
        classes, found, words = in_one_list(by_split)
    items: list[Item] = []
    parts: list[Part] = []
    for (split, images), values in zip(sets.items(), found, strict=True):
        listed = keyed_items(values, split)
        items += with_groups(listed, images[labels.group], f"hf:{name}", labels.group) if labels.group else listed
        parts.append((len(values), _Reader(images, image)))
    return Source(
        f"hf:{Path(path).name}",
        classes,
        items,
        joined(parts),
        licence=next(iter(sets.values())).info.license or None,
        kind=labels.kind,
        unit=labels.unit,
        words=words,
        passed=passed,
    )


def _require_columns(features: Mapping[str, object], columns: Sequence[str], name: str) -> None:
    """Raises InputError where a split lacks a column that another has."""
    if missing := [column for column in columns if column not in features]:
        raise InputError(
            f"Every split of hf:{name} must have the same columns",
            found=f"one without {', '.join(missing)}",
            next_step="remove that split, or give it these columns, and write the set with save_to_disk",
        )


_ROLES = ("train", "val", "test")


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
            found=first_line(error),
            allowed="a name on the hub, a folder written by save_to_disk, or a folder of images or Parquet files",
            next_step="check the name, the network, and for a set with several configurations write hf:NAME@CONFIG",
        ) from error


def _by_split(loaded: Any, name: str) -> Mapping[Split, Any]:
    """The splits by what their own names say."""
    if not isinstance(loaded, Mapping):
        return {"": loaded}
    if len(loaded) == 1:
        return {"": next(iter(loaded.values()))}
    named: dict[Split, list[str]] = {}
    for split in loaded:
        if word := split_word(split):
            named.setdefault(word, []).append(split)
    twice = [split for splits in named.values() if len(splits) > 1 for split in splits]
    if "train" not in named or twice:
        raise InputError(
            f"The image set hf:{name} has "
            + ("two splits that mean the same" if twice else "several splits but none to train on"),
            found=", ".join(twice or loaded),
            allowed="train, and where there are any, validation and test",
            next_step="rename the splits and write the set with save_to_disk",
        )
    return {word: loaded[splits[0]] for word, splits in named.items()}


def _not_used(loaded: Any, sets: Mapping[Split, Any], *, on_purpose: bool) -> tuple[PassedOver, ...]:
    """The splits that serve as nothing; who chose by a query has set them aside and misses none."""
    if not isinstance(loaded, Mapping):
        return ()
    used = {id(part) for part in sets.values()}
    return tuple(
        PassedOver(f"split {split}", UNUSED_SPLITS, len(part), split, picture=not on_purpose)
        for split, part in loaded.items()
        if id(part) not in used
    )


def _chosen(loaded: Any, chosen: Mapping[str, str], name: str) -> Mapping[Split, Any]:
    """The splits as a query names them; roles that it leaves open take what is left under their own names."""
    splits: Mapping[str, Any] = loaded if isinstance(loaded, Mapping) else {}
    missing = [split for split in chosen.values() if split not in splits]
    if missing or len(set(chosen.values())) < len(chosen):
        near = nearest(missing[0], splits) if missing else []
        raise InputError(
            f"A query names splits that hf:{name} has, each once",
            found="&".join(f"{role}={split}" for role, split in chosen.items())
            + (f" (nearest: {', '.join(near)})" if near else ""),
            allowed=", ".join(splits) or "the set has no splits to choose among",
            next_step="name one of these, or leave the query out",
        )
    left = {split: part for split, part in splits.items() if split not in chosen.values()}
    found: dict[Split, Any] = {word: part for split, part in left.items() if (word := split_word(split))}
    found |= {word: splits[split] for role, split in chosen.items() if (word := split_word(role))}
    if "train" not in found:
        raise InputError(
            f"A query for hf:{name} leaves no split to train on",
            found="&".join(f"{role}={split}" for role, split in chosen.items()),
            allowed=", ".join(splits),
            next_step="name one with train=SPLIT",
        )
    return found
