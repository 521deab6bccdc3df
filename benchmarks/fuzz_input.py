"""Malformed folders, tables and files by the hundred: does anything end in a traceback, vanish, or write elsewhere?

    python benchmarks/fuzz_input.py [--each 100] [--seed 0]

Each input is made of its own seed, which is printed when it fails: `--only folder:17` makes it again. Checked of each:

- it is read, or refused with an InputError;
- of a folder, files = items + passed over, for training and for `predict`; of a table, rows = items;
- items = train + val + test + copies + unreadable + contradictory, where a task is made;
- no file is made, changed or removed in the input, in the working directory or at home.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.reading import Unreadable
from azeotrope.data.named import named_images
from azeotrope.data.sources._source import Source
from azeotrope.data.task import RefusedSet, load_task, open_source
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec

NAMES = (
    *(
        "bolt",
        "nut",
        "Bolt",
        "nut ",
        "1",
        "1.0",
        "01",
        "B\u00fcgel",
        "Bu\u0308gel",
        "train",
        "test",
        "val",
        "training_set",
    ),
    *(
        "test_set",
        "eval",
        "2021",
        "2022",
        "dataset",
        "__MACOSX",
        "@eaDir",
        "$RECYCLE.BIN",
        "lost+found",
        ".git",
        ".drafts",
    ),
    *("a;b", "'quoted\"", "<b>", "x" * 120, "\u732b", "..strange", "~home", "-dash", "a\nb", "plan.yaml"),
)
FILES = (
    *("a.png", "a.jpg", "b.png", "b.jpg", "c.png", "c.JPG"),
    *("a.png", "b.PNG", "c.jpg", "d.jpeg", "e.tif", "f.webp", "g.gif", "h.bmp", "i.heic", "j.dng", "k", "l.jpg_large"),
    *(
        ".hidden.png",
        "._a.png",
        "Thumbs.db",
        "notes.txt",
        "m.png.part",
        "n\u00fc.png",
        "o p.png",
        "q'\".png",
        "[r].png",
    ),
)
LABELS = (
    "bolt",
    "nut",
    " nut",
    "Bolt",
    "1",
    "1.0",
    "",
    "bolt;nut",
    "['bolt']",
    "bolt red",
    "\u732b",
    "x" * 200,
    "#",
    "NaN",
)
HEADERS = (
    *(
        "path",
        "Path ",
        "file",
        "img",
        "image",
        "label",
        " Label",
        "class",
        "species",
        "split",
        "set",
        "is_valid",
        "fold",
    ),
    *("", "Unnamed: 0", "patient", "tags", "test", "weight"),
)


KNOWN = ("path", "file", "img", "image", "label", "class", "tags")


def main() -> None:
    """Run them and print what came of each kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="one input, such as folder:17")
    asked = parser.parse_args()
    began, failures = time.perf_counter(), 0
    for kind, make in (("folder", folder), ("table", table), ("file", files)):
        numbers = range(asked.seed, asked.seed + asked.each)
        if asked.only:
            numbers = [int(asked.only.partition(":")[2])] if asked.only.startswith(kind) else []
        ended: Counter[str] = Counter()
        counted: Counter[str] = Counter()
        for number in numbers:
            try:
                outcome, figures = alone(make, number)
                ended[outcome] += 1
                counted.update(figures)
            except Exception:
                failures += 1
                print(f"FAILED {kind}:{number}", traceback.format_exc(), sep="\n", file=sys.stderr)
        if ended:
            print(f"{kind}: {dict(ended)}; {dict(counted)}")
    print(f"{failures} failures, {time.perf_counter() - began:.0f} s")
    raise SystemExit(bool(failures))


def alone(make, number):
    """One input in a place of its own, which must be the same afterwards."""
    with tempfile.TemporaryDirectory() as place:
        root, home = Path(place, "input"), Path(place, "home")
        root.mkdir()
        home.mkdir()
        os.environ["HOME"] = str(home)
        os.chdir(home)
        chance = random.Random(f"{make.__name__}/{number}")
        try_it = make(root, chance)
        before = snapshot(Path(place))
        outcome = try_it()
        after = snapshot(Path(place))
        assert before == after, f"written: {sorted(set(after) ^ set(before))[:5]}"
        return outcome


def snapshot(place):
    """Path, size and time of every file."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in place.rglob("*") if not path.is_dir()
    }


def image(chance):
    """Bytes of a picture, now and then broken."""
    side = chance.choice((1, 3, 16, 40))
    pixels = np.random.default_rng(chance.randrange(1 << 30)).integers(0, 256, (side, side, 3), dtype=np.uint8)
    if chance.random() < 0.2:
        pixels = (pixels[..., 0].astype(np.uint16)) * chance.choice((1, 16, 257))
    kind = chance.choice(("PNG", "PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP")) if pixels.ndim == 3 else "PNG"
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    fate = chance.random()
    if fate < 0.1:
        content = content[: chance.randrange(len(content))]
    elif fate < 0.2:
        for _ in range(chance.randrange(1, 20)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    elif fate < 0.25:
        content = bytearray(chance.choice((b"", b"<html>", b"version https://git-lfs", b"\0" * 50)))
    return bytes(content)


def folder(root, chance):
    """Folders in folders, with images, others' files, by-products and links."""
    kinds = chance.sample(NAMES[: chance.choice((9, len(NAMES)))], chance.randrange(1, 6))
    levels = chance.choice(
        ((), (), (), ("train", "test"), ("2021", "2022"), ("wrap",), ("training_set", "test_set", "extra"))
    )
    for upper in levels or ("",):
        for kind in kinds:
            place = root / upper / kind
            place.mkdir(parents=True, exist_ok=True)
            for _ in range(chance.choice((1, 8, 12, 16, 16, 16))):
                (place / f"{chance.randrange(10**6)}{chance.choice(FILES)}").write_bytes(image(chance))
            if chance.random() < 0.3:
                deeper = place / chance.choice(NAMES)
                deeper.mkdir(exist_ok=True)
                (deeper / chance.choice(FILES)).write_bytes(image(chance))
            if chance.random() < 0.15:
                (place / "link").symlink_to(root, target_is_directory=True)
            if chance.random() < 0.1:
                (place / "gone.png").symlink_to(root / "nowhere.png")
    if chance.random() < 0.3:
        (root / chance.choice(FILES)).write_bytes(image(chance))
    return lambda: read(root, LabelSpec(), files=files_below(root))


def files_below(root):
    """All files and links below a folder, links to folders counted once."""
    count = 0
    for place, folders, names in os.walk(root):
        count += len(names) + sum(Path(place, name).is_symlink() for name in folders)
    return count


def table(root, chance):
    """Rows of paths and labels in some form of text."""
    (root / "pics").mkdir()
    paths = []
    for number in range(chance.choice((0, 3, 30, 40))):
        name = f"pics/{number}{chance.choice(('.png', '.jpg', '', '.heic'))}"
        if chance.random() < 0.9:
            (root / name).write_bytes(image(chance))
        paths.append(name)
    headers = chance.sample(HEADERS, chance.randrange(0, 4))
    headers = [header for header in headers if header.strip().lower() not in KNOWN]
    headers = (
        chance.sample([*headers, "path", "label"], len(headers) + 2) if chance.random() < 0.8 else [*headers, "img"]
    )
    rows = []
    for path in paths:
        cells = []
        for header in headers:
            plain = header.strip().lower()
            if plain in ("path", "file", "img", "image"):
                cells.append(path.replace("/", "\\") if chance.random() < 0.1 else path)
            elif plain in ("split", "set"):
                cells.append(
                    chance.choice(("train", "test", "valid", "Training", "", "extra")[: chance.choice((2, 5, 6))])
                )
            elif plain in ("is_valid", "test", "fold", "weight", "patient"):
                cells.append(str(chance.randrange(chance.choice((2, 5)))))
            else:
                cells.append(chance.choice(LABELS[: chance.choice((2, 2, 4, len(LABELS)))]))
        rows.append(cells[: chance.randrange(1, len(cells) + 1)] if chance.random() < 0.02 else cells)
    sign = chance.choice(",,,;\t|")
    text = "\n".join(sign.join(row) for row in ([headers] if chance.random() < 0.95 else []) + rows)
    encoding = chance.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"))
    content = text.encode(encoding, "replace")
    if chance.random() < 0.1:
        content = content[: chance.randrange(len(content) + 1)] + bytes([chance.randrange(256)])
    file = root / chance.choice(("list.csv", "list.tsv", "list.parquet" if chance.random() < 0.2 else "list.csv"))
    file.write_bytes(content)
    kind = chance.choice(("single", "single", "single", "multi", "number"))
    return lambda: read(file, LabelSpec(kind=kind))


def files(root, chance):
    """A hundred broken pictures, read one by one."""
    contents = [image(chance) for _ in range(100)]

    def try_it():
        outcomes: Counter[str] = Counter()
        for content in contents:
            try:
                assert decode(content).pixels.dtype == np.uint8
                outcomes["read"] += 1
            except Unreadable:
                outcomes["unreadable"] += 1
        return "read", outcomes

    return try_it


def read(place, labels, files=None):
    """How it ended, and what was counted; nothing may be lost on the way."""
    figures = Counter()
    if files is not None:
        figures["files"] = files
        check_named(place, files)
    try:
        source = open_source(str(place), labels)
    except InputError:
        return "refused", figures
    check_listed(source, files)
    figures["items"] += len(source.items)
    figures["passed over"] += sum(row.count for row in source.passed)
    try:
        task = load_task(str(place), labels=labels)
    except RefusedSet:
        return "read, and refused as a task", figures
    splits = task.splits
    used = len(splits.train) + len(splits.val) + len(splits.test)
    assert used + splits.dropped + splits.unreadable + splits.contradictory == len(source.items), (used, splits)
    figures["used"] += used
    figures["unreadable"] += splits.unreadable
    return "read", figures


def check_listed(source: Source, files: int | None) -> None:
    """Files = items + passed over."""
    passed = sum(row.count for row in source.passed)
    assert files is None or len(source.items) + passed == files, (len(source.items), source.passed, files)


def check_named(place: Path, files: int) -> None:
    """The same for `predict`."""
    try:
        chosen = named_images(place)
    except InputError:
        return
    passed = sum(row.count for row in chosen.passed)
    assert len(chosen.files) + passed == files, (len(chosen.files), chosen.passed, files)


if __name__ == "__main__":
    main()
