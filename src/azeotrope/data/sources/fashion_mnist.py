"""Fashion-MNIST: 60,000 + 10,000 grey images of 28x28 pixels, 10 kinds of clothing.

Source: Xiao, Rasul & Vollgraf 2017, arXiv 1708.07747. Looked for in `$AZEOTROPE_DATA`, then where the Debian package
puts it, then downloaded by torchvision.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from azeotrope.data.sources._idx import read_idx
from azeotrope.data.sources._places import data_root
from azeotrope.data.sources._source import Source, Split, numbered_items, stamp_of
from azeotrope.errors import InputError

CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
_FILES: dict[Split, str] = {"train": "train", "test": "t10k"}
_NAMES = tuple(f"{stem}-{kind}" for stem in _FILES.values() for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def open_source(name: str = "") -> Source:
    """Fashion-MNIST; there is only one, so `name` must be empty. Raises InputError when it is nowhere to be had."""
    if name:
        raise InputError(
            "The source `fashion-mnist` takes no name", found=repr(name), next_step="write `fashion-mnist`"
        )
    folder = find()
    images = {split: read_idx(_file(folder, f"{stem}-images-idx3-ubyte")) for split, stem in _FILES.items()}
    labels = {split: read_idx(_file(folder, f"{stem}-labels-idx1-ubyte")) for split, stem in _FILES.items()}
    pixels = np.concatenate(list(images.values()))
    items = tuple(item for split in _FILES for item in numbered_items(labels[split], split))
    if len(items) != len(pixels):
        raise InputError(
            f"The files in {folder} do not belong together",
            found=f"{len(pixels)} images and {len(items)} labels",
            next_step="fetch all four files again",
        )
    files = {split: _file(folder, f"{stem}-images-idx3-ubyte") for split, stem in _FILES.items()}
    return Source(
        "fashion-mnist",
        CLASSES,
        items,
        lambda place: pixels[place],
        licence="MIT",
        stamp=lambda place: stamp_of(files[items[place].split], items[place].key),
    )


def at_hand(seconds: float) -> bool:
    """Whether the files are on this machine, or were downloaded just now within so many seconds.

    Another process downloads, since torchvision knows no time limit and a process can be ended.
    """
    if _found():
        return True
    code = f"from {__name__} import find; find()"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def find() -> Path:
    """The folder with the four files; downloads them when no local one has them."""
    if folder := _found():
        return folder
    try:
        return _download(data_root())
    except (ImportError, OSError, RuntimeError) as error:
        raise _nowhere(error) from error


def _found() -> Path | None:
    whole = (folder for folder in _local() if all(_file(folder, name).is_file() for name in _NAMES))
    return next(whole, None)


def _local() -> list[Path]:
    own = os.environ.get("AZEOTROPE_DATA")
    base = [Path(own).expanduser()] if own else []
    return [folder for root in base for folder in (root, root / "fashion-mnist")] + [_DEBIAN]


def _file(folder: Path, name: str) -> Path:
    plain = folder / name
    return plain if plain.is_file() else folder / f"{name}.gz"


def _download(root: Path) -> Path:
    from torchvision.datasets import FashionMNIST  # slow to import, and needed only here

    return Path(FashionMNIST(str(root), download=True).raw_folder)


def _nowhere(error: Exception) -> InputError:
    own = os.environ.get("AZEOTROPE_DATA")
    return InputError(
        "Fashion-MNIST was not found",
        found=f"no complete set in $AZEOTROPE_DATA ({own or 'not set'}), none in {_DEBIAN}"
        f" (Debian package dataset-fashion-mnist), and torchvision's download failed: {error or type(error).__name__}",
        allowed="the four IDX files (gzipped or not) in any one of these places",
        next_step="`apt install dataset-fashion-mnist`, or point AZEOTROPE_DATA at a folder that holds them,"
        " or use `digits`, which is always there",
    )
