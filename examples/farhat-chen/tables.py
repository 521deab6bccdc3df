"""Writes the table of an image set from the lists that its authors publish, so that their splits are kept.

    python examples/farhat-chen/tables.py mit67 FOLDER    # Images/, TrainImages.txt, TestImages.txt
    python examples/farhat-chen/tables.py cub FOLDER      # images/, images.txt, train_test_split.txt, ...

The table, `mit67.csv` or `cub.csv`, lies beside the folder, with columns path, label and split, as `azeotrope` reads
them (not in it: CUB has a `classes.txt` of another form than the one that `azeotrope` looks for beside a table).
Nothing is copied, and no image is opened.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from azeotrope.errors import AzeotropeError, InputError

Row = tuple[str, str, str]  # path, label, split


def mit67(folder: Path) -> Iterator[Row]:
    """Indoor scenes of Quattoni & Torralba 2009: 80 training and 20 test images a class, listed as `class/file.jpg`."""
    for name, split in (("TrainImages.txt", "train"), ("TestImages.txt", "test")):
        for line in lines(folder / name):
            label, slash, _ = line.partition("/")
            if not slash:
                raise InputError(
                    f"Each line of {name} names a class and a file", found=repr(line), allowed="such as kitchen/1.jpg"
                )
            yield f"Images/{line}", label, split


def cub(folder: Path) -> Iterator[Row]:
    """CUB-200-2011 of Wah et al.: numbered lists of images, their classes, and 1 for those that train."""
    paths, numbers = numbered(folder / "images.txt"), numbered(folder / "image_class_labels.txt")
    classes, train = numbered(folder / "classes.txt"), numbered(folder / "train_test_split.txt")
    for image, path in paths.items():
        try:
            label, trains = classes[numbers[image]], train[image]
        except KeyError as missing:
            raise InputError(
                "The lists of CUB-200-2011 must be of one set",
                found=f"no entry {missing} for image {image}, {path}",
                next_step="unpack the archive again",
            ) from missing
        yield f"images/{path}", label, "train" if trains == "1" else "test"


def numbered(file: Path) -> dict[str, str]:
    """`NUMBER TEXT` a line, as a mapping."""
    return {number: text for number, _, text in (line.partition(" ") for line in lines(file))}


def lines(file: Path) -> list[str]:
    """The lines that hold something. Raises InputError when there is no such file."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(
            f"There is no list {file}",
            found=", ".join(sorted(path.name for path in file.parent.glob("*"))[:10]) or "an empty or missing folder",
            next_step="name the folder that the lists are in",
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


LAYOUTS: dict[str, Callable[[Path], Iterator[Row]]] = {"mit67": mit67, "cub": cub}


def write(layout: str, folder: Path) -> Path:
    """Write `LAYOUT.csv` beside the folder; returns its path. Raises InputError for lists that cannot be used."""
    rows = list(LAYOUTS[layout](folder))
    if missing := [path for path, _, _ in rows if not (folder / path).is_file()]:
        raise InputError(
            "Every image of the lists must be there",
            found=f"{len(missing):,} of {len(rows):,} are not, first {folder / missing[0]}",
            next_step="unpack the images beside the lists",
        )
    table = folder.absolute().parent / f"{layout}.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "split"))
        writer.writerows((f"{folder.absolute().name}/{path}", label, split) for path, label, split in rows)
    return table


def main() -> int:
    """Exit status 2 for lists that cannot be used, with the reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layout", choices=sorted(LAYOUTS))
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    try:
        print(write(asked.layout, asked.folder))
    except AzeotropeError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
