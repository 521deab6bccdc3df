"""Does distilling pay for tasks of the other kinds too? Three made from Fashion-MNIST, scratch against distill.

`several`: what a piece of clothing is like (worn above the waist, long sleeves, closed in front, footwear; a bag is
none of these). `angle`: each picture is turned by an angle between -45 and 45 degrees that is drawn by its place, and
the angle is asked for; a mirror image has another, so nothing is mirrored. `area`: how many per cent of the picture the
piece covers; a part of the picture has another, so nothing is cropped.

    OMP_NUM_THREADS=1 python benchmarks/kinds.py several --out kinds
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from azeotrope.api.compare import compare
from azeotrope.data.task import open_source
from azeotrope.labels import LabelSpec
from azeotrope.plan import TeacherSpec
from azeotrope.reporting.texts.table import WIDTH, table

IMAGES = 6000  # of the training images, and as many of the test images as IMAGES // 3
SHOWN = {
    "upper body": ("T-shirt/top", "Pullover", "Dress", "Coat", "Shirt"),
    "long sleeves": ("Pullover", "Coat", "Shirt"),
    "closed in front": ("Coat", "Shirt"),
    "footwear": ("Sandal", "Sneaker", "Ankle boot"),
}
TEACHER = TeacherSpec(model="tf_efficientnet_lite0", image_size=64)
LABELS = {
    "several": LabelSpec(kind="multi"),
    "angle": LabelSpec(kind="number", column="angle", unit="degrees"),
    "area": LabelSpec(kind="number", column="area", unit="%"),
}
POLICY: dict[str, dict[str, object]] = {
    "several": {},
    "angle": {"mirror": False},
    "area": {"crop_area": (1, 1), "crop_aspect": (1, 1)},
}
CLOTH = 40  # grey level from which on a pixel belongs to the piece


def write(folder: Path, kind: str) -> Path:
    """The pictures as files, and the table of them; returns the table."""
    path = folder / f"{kind}.csv"
    if path.exists():
        return path
    source = open_source("fashion-mnist")
    given = [place for place, item in enumerate(source.items) if item.split == "test"]
    rows = [*range(IMAGES), *given[: IMAGES // 3]]
    angles = np.random.default_rng(0).uniform(-45, 45, len(rows))
    (folder / kind).mkdir(parents=True, exist_ok=True)
    lines = []
    for row, angle in zip(rows, angles, strict=True):
        item, picture = source.items[row], Image.fromarray(np.asarray(source.read(row)))
        if kind == "angle":
            picture, label = picture.rotate(angle, Image.Resampling.BICUBIC), f"{angle:.3f}"
        elif kind == "area":
            label = f"{100 * (np.asarray(picture) >= CLOTH).mean():.3f}"
        else:
            name = source.classes[int(item.label)]  # type: ignore[arg-type]  # one class an image
            label = ";".join(what for what, names in SHOWN.items() if name in names)
        picture.save(folder / kind / f"{row}.png")
        lines.append(f"{kind}/{row}.png,{label},{item.split}")
    path.write_text("\n".join([f"path,{LABELS[kind].column or 'labels'},split", *lines]))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=LABELS)
    parser.add_argument("--out", type=Path, default=Path("kinds"))
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    data = write(options.out / "data", options.kind)
    compared = compare(
        str(data),
        student="test_resnet",
        teacher=TEACHER,
        out=options.out / options.kind,
        labels=LABELS[options.kind],
        train_images=options.images,
        arms=["scratch", "distill:kl", "distill"],
        image_size=32,
        recipe={
            "epochs": options.epochs,
            "views": 8,
            "learning_rates": (2e-3, 5e-3),
            "policy": POLICY[options.kind],
        },
    )
    Console(width=WIDTH).print(table(compared))


if __name__ == "__main__":
    main()
