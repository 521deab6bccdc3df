"""Inputs as people have them, in small: bars ("bolt") and discs (any other name), never the same twice."""

import numpy as np
from PIL import Image

from azeotrope.data.auditing.audit import audit
from azeotrope.data.task import RefusedSet, load_task
from azeotrope.labels import LabelSpec


def picture(kind, number, side=40):
    """A red bar ("bolt") or a blue disc (any other kind) on noise."""
    random = np.random.default_rng([*kind.encode(), number])
    y, x = np.mgrid[:side, :side]
    across, down = random.uniform(0.35, 0.65, 2) * side
    shape = abs(x - across) < side / 8 if kind == "bolt" else (x - across) ** 2 + (y - down) ** 2 < side**2 / 16
    pixels = random.integers(90, 160, (side, side, 3))
    pixels[shape] = (200, 60, 50) if kind == "bolt" else (50, 90, 200)
    return Image.fromarray(pixels.astype(np.uint8))


def folder_of(root, kind, count, start=0, name=None, suffix=".png", **options):
    """`count` pictures of a kind in a class folder below `root`."""
    folder = root / (name or kind)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        picture(kind, number).save(folder / f"{number:03d}{suffix}", **options)
    return folder


def both(root, count=10, start=0):
    """bolt and nut."""
    for kind in ("bolt", "nut"):
        folder_of(root, kind, count, start)
    return root


def table(root, rows, name="list.csv", encoding="utf-8"):
    """A table beside `root/pics`, which holds 12 bolts and 12 nuts."""
    (root / "pics").mkdir(exist_ok=True)
    for kind in ("bolt", "nut"):
        for number in range(12):
            picture(kind, number).save(root / "pics" / f"{kind}{number}.png")
    (root / name).write_bytes(("\n".join(rows) + "\n").encode(encoding))
    return root / name


def plain_rows(separator=",", slash="/", more=lambda kind, number: ()):
    """A row for each of these pictures."""
    return [
        separator.join((f"pics{slash}{kind}{number}.png", kind, *more(kind, number)))
        for kind in ("bolt", "nut")
        for number in range(12)
    ]


def read(spec, **labels):
    """The task, or what was read of a set that is refused."""
    try:
        return load_task(str(spec), labels=LabelSpec(**labels))
    except RefusedSet as refused:
        return refused


def counts(spec, **labels):
    """Readable images of each class by split."""
    found = read(spec, **labels)
    shown = audit(found.manifest, found.source).class_counts
    return {split: dict(zip(found.manifest.classes, each, strict=True)) for split, each in shown.items()}


def said(spec, **labels):
    """All that a person is told of how it was read."""
    return " ".join(load_task(str(spec), labels=LabelSpec(**labels)).words)
