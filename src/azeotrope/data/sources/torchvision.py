"""Image sets that torchvision knows, by the name of their class: `torchvision:CIFAR10`, `torchvision:DTD?partition=3`.

They are kept in `$AZEOTROPE_DATA` (else the user's cache) and downloaded when they are not there. The tables below
say how each set names its splits, which torchvision does not; a set is added by adding its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.sources._names import in_one_list
from azeotrope.data.sources._places import data_root
from azeotrope.data.sources._query import parted
from azeotrope.data.sources._source import Item, Part, Source, Split, joined, keyed_items
from azeotrope.errors import InputError
from azeotrope.lookup import unknown

_Arguments = Mapping[Split, Mapping[str, object]]

_BY_FLAG: _Arguments = {"train": {"train": True}, "test": {"train": False}}
_TWO: _Arguments = {"train": {"split": "train"}, "test": {"split": "test"}}
_THREE: _Arguments = {"train": {"split": "train"}, "val": {"split": "val"}, "test": {"split": "test"}}
_WHOLE: _Arguments = {"": {}}

SETS: Mapping[str, _Arguments] = {
    **dict.fromkeys(("CIFAR10", "CIFAR100", "FashionMNIST", "KMNIST", "MNIST", "USPS"), _BY_FLAG),
    **dict.fromkeys(("Food101", "GTSRB", "STL10", "SVHN", "StanfordCars"), _TWO),
    **dict.fromkeys(("DTD", "FGVCAircraft", "Flowers102"), _THREE),
    **dict.fromkeys(("Caltech101", "EuroSAT", "SUN397"), _WHOLE),
    "Country211": {"train": {"split": "train"}, "val": {"split": "valid"}, "test": {"split": "test"}},
    "Imagenette": {"train": {"split": "train"}, "test": {"split": "val"}},
    "OxfordIIITPet": {"train": {"split": "trainval"}, "test": {"split": "test"}},
}
_NOT_MIRRORED = frozenset(("GTSRB", "KMNIST", "MNIST", "SVHN", "USPS"))
_PARTITIONS: Mapping[str, int] = {"DTD": 10}  # published divisions of a set into its splits, numbered from 1
_LABELS_IN = ("targets", "labels", "_labels", "y")  # torchvision has no common name for them


def open_source(name: str) -> Source:
    """The set that torchvision calls `name`. Raises InputError for another name, and when it is neither here nor to
    be fetched.
    """
    whole = name
    name, options = parted(name, ("partition",) if name.partition("?")[0] in _PARTITIONS else (), "torchvision")
    if name not in SETS:
        raise unknown("image set of torchvision", name, SETS)
    partition = _partition(name, options["partition"]) if options else {}
    sets = {split: _construct(name, {**arguments, **partition}) for split, arguments in SETS[name].items()}
    labels = [_labels(images) for images in sets.values()]
    count = 1 + max(int(found.max()) for found in labels)
    names = [_classes(images, count) for images in sets.values()]
    classes, moved, words = in_one_list([(own, found.tolist()) for own, found in zip(names, labels, strict=True)])
    items: list[Item] = []
    parts: list[Part] = []
    for (split, images), found in zip(sets.items(), moved, strict=True):
        items += keyed_items(found, split)
        parts.append((len(found), partial(_pixels, images)))
    mirror = name not in _NOT_MIRRORED
    return Source(f"torchvision:{whole}", classes, items, joined(parts), mirror=mirror, words=words)


def _partition(name: str, number: str) -> Mapping[str, int]:
    """The argument that chooses one of a set's partitions. Raises InputError for one that it does not have."""
    if not number.isdecimal() or not 1 <= int(number) <= _PARTITIONS[name]:
        raise InputError(
            f"The partitions of torchvision:{name} are numbered",
            found=f"partition={number}",
            allowed=f"1 to {_PARTITIONS[name]}",
            next_step="name one of these, or leave the query out for the first",
        )
    return {"partition": int(number)}


def _construct(name: str, arguments: Mapping[str, object]) -> Any:
    """The torchvision object (untyped there): from disk when complete, else downloaded."""
    import torchvision.datasets  # slow to import, and needed only for this source

    build = getattr(torchvision.datasets, name)
    root = data_root()
    try:
        try:
            return build(str(root), **arguments, download=False)
        except (RuntimeError, OSError):
            return build(str(root), **arguments, download=True)
    except (RuntimeError, OSError) as error:
        raise InputError(
            f"torchvision's {name} is not in {root} and could not be downloaded",
            found=str(error) or type(error).__name__,
            next_step=f"put the set into {root} on a machine with a network, or point AZEOTROPE_DATA at it",
        ) from error
    except ValueError as error:  # a folder that lacks a part which torchvision takes for granted
        raise InputError(
            f"torchvision cannot read the {name} that is in {root}",
            found=str(error),
            allowed="the set as torchvision unpacks it, all of it",
            next_step="unpack the archive again, whole, or move the folder away: it is then downloaded",
        ) from error


def _labels(images: Any) -> NDArray[np.int64]:
    for attribute in _LABELS_IN:
        if hasattr(images, attribute):
            return np.asarray(getattr(images, attribute), dtype=np.int64)
    return np.array([label for _, label in images._samples], dtype=np.int64)


def _classes(images: Any, count: int) -> tuple[str, ...]:
    """Their names, or their numbers where torchvision has no names."""
    names = getattr(images, "classes", None) or getattr(images, "categories", None) or range(count)
    return tuple(str(name) for name in names)


def _pixels(images: Any, place: int) -> NDArray[np.uint8]:
    image = images[place][0]
    return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
