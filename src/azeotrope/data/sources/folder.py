"""A folder of class folders, with or without `train`, `val` and `test` above them. The folder's name is the class's
name.

How folders may be arranged is in `_layout`, what is passed over in `_passed`; an image's content is looked at only when
it is read.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from azeotrope.data.sources._layout import ALLOWED, arranged
from azeotrope.data.sources._names import reconciled, text_of
from azeotrope.data.sources._passed import ASKED, SUFFIXES, Tally, images_below
from azeotrope.data.sources._source import Item, Source, Split, stamp_of
from azeotrope.data.uncollected import uncollected
from azeotrope.errors import InputError
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.lookup import nearest

TAKES = ("layout", "group_by")
TABLES = (".csv", ".tsv", ".parquet")
_UNPACK = "unpack it and name the folder"
_LIST = "write a CSV with the columns path and label, and name that"
_OTHER_FILES = {
    ".tar": ("an archive", f"{_UNPACK}, or name webdataset:FILE if KEY.jpg and KEY.cls lie in it"),
    **dict.fromkeys((".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"), ("an archive", _UNPACK)),
    **dict.fromkeys((".txt", ".lst", ".names"), ("a list in a text file", _LIST)),
    **dict.fromkeys((".json", ".jsonl", ".xml", ".yaml", ".yml"), ("a file of annotations", _LIST)),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), ("a spreadsheet", "save it as CSV in UTF-8, and name that")),
    **dict.fromkeys((".npy", ".npz", ".h5", ".hdf5", ".mat", ".pkl", ".pt", ".tfrecord"), ("arrays", _LIST)),
    **dict.fromkeys(SUFFIXES, ("one image", "name a folder of class folders")),
}


def open_source(name: str) -> Source:
    """The images below the folder `name`. Raises InputError when it does not exist, holds no image, or is laid out
    otherwise.
    """
    return open_labelled(name, ONE_CLASS)


@uncollected()
def open_labelled(name: str, labels: LabelSpec) -> Source:
    """The same, arranged as `labels.layout` says."""
    root = Path(name).expanduser()
    if not root.is_dir():
        raise _no_folder(root)
    tally = Tally(labels.pixels)
    found = arranged(root, labels.layout, tally)
    meant, words = reconciled(text_of(folder.name) for folder in found.folders)
    files: list[tuple[str, str, Split]] = []
    for folder in found.folders:
        label = meant[text_of(folder.name)]
        files += [(file, label, folder.split) for file in images_below(str(folder.path), label, tally)]
    if not files:
        raise _no_images(root, found.base)
    classes = tuple(sorted(set(meant.values())))
    index = {label: number for number, label in enumerate(classes)}
    start = len(os.path.join(str(root), ""))  # noqa: PTH118 (also right for a root that ends with a slash)
    items = tuple(Item(_key(file[start:]), index[label], split) for file, label, split in files)
    paths = [file for file, _, _ in files]
    return Source(
        text_of(root.resolve().name),
        classes,
        items,
        lambda place: Path(paths[place]).read_bytes(),
        words=(*found.words, *words),
        passed=tally.counted(),
        stamp=lambda place: stamp_of(paths[place]),
    )


def _key(path: str) -> str:
    """The path below the root as text that reads the same on every system."""
    text = path if path.isascii() else text_of(path)
    return text.replace(os.sep, "/") if os.sep != "/" else text


def _no_folder(root: Path) -> InputError:
    if root.is_file():
        what, next_step = _OTHER_FILES.get(root.suffix.lower(), ("a file", _LIST))
        return InputError(
            "Images come as a folder or a table",
            found=f"{root} is {what}",
            allowed=f"{ALLOWED}, or a .csv, .tsv or .parquet",
            next_step=next_step,
        )
    parent = root.absolute().parent
    near = nearest(root.name, os.listdir(parent)) if parent.is_dir() else []  # noqa: PTH208 (names only)
    return InputError(
        f"There is no folder {root}",
        found=f"nearest in {parent}: {', '.join(near)}" if near else "",
        allowed=ALLOWED,
        next_step="check the path",
    )


def _no_images(root: Path, base: Path) -> InputError:
    suffixes = Counter(path.suffix.lower() or "none" for path in root.rglob("*") if path.is_file())
    loose = any(path.suffix.lower() in SUFFIXES for path in base.iterdir())
    tables = [path for path in (*sorted(root.iterdir()), *sorted(base.iterdir())) if path.suffix.lower() in TABLES]
    found = ", ".join(f"{count} files with suffix {suffix}" for suffix, count in suffixes.most_common(5))
    next_step = "check the path; for a folder of the datasets library write `hf:FOLDER`"
    asked = [each for each, names in ASKED.items() if names & set(suffixes)]
    if asked:
        next_step = f"add --formats {','.join(asked)} to read them"
    elif ".npy" in suffixes:
        next_step = "add --bands all to read the .npy files as pictures"
    if loose:
        next_step = "put each image into a folder named after its class, or give a CSV of paths and labels"
    if tables:
        next_step = f"if it lists the images, name the table: {tables[0]}"
    return InputError(
        f"The folder {root} holds no class folder with an image",
        found=found or "an empty folder",
        allowed=f"{ALLOWED}, of files such as .jpg, .png, .webp, .tif",
        next_step=next_step,
    )
