"""How many wrong labels does `check --suspect-labels` find, and how many that it lists are wrong?

Of IMAGES pictures of Fashion-MNIST's training set, a tenth is for test and is not judged. Of the others, SHARE get
another class, drawn at random; the list is held against what was exchanged, several draws over. Labels of the set that
are wrong by themselves count as right here, so that the precision is a lower bound.

    OMP_NUM_THREADS=1 python benchmarks/suspect_labels.py --out suspects --images 5000 --draws 3
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from PIL import Image

from azeotrope.api.check import check
from azeotrope.data.task import open_source
from azeotrope.plan import TeacherSpec
from azeotrope.session.findings.suspecting import SuspectLabel

SPLITS = ["test", "val", *["train"] * 8]  # of ten images; labels of the test split are not judged


def write(folder: Path, images: int, share: float, draw: int) -> tuple[Path, dict[str, str], set[str]]:
    """The pictures as files and a table of them; (the table, the true class of each file, the files exchanged)."""
    source, rng = open_source("fashion-mnist"), np.random.default_rng(draw)
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    judged = [place for place in range(images) if SPLITS[place % 10] != "test"]
    exchanged = set(rng.choice(judged, round(share * len(judged)), replace=False).tolist())
    true: dict[str, str] = {}
    lines = ["path,label,split"]
    for place in range(images):  # the training set's order is random
        file, label = f"pictures/{place}.png", int(source.items[place].label)  # type: ignore[arg-type]
        true[file] = source.classes[label]
        if not (folder / file).exists():
            Image.fromarray(np.asarray(source.read(place))).save(folder / file)
        if place in exchanged:
            label = (label + int(rng.integers(1, len(source.classes)))) % len(source.classes)
        lines.append(f"{file},{source.classes[label]},{SPLITS[place % 10]}")
    path = folder / f"exchanged-{images}-{share:g}-{draw}.csv"
    path.write_text("\n".join(lines), "utf-8")
    return path, true, {f"pictures/{place}.png" for place in exchanged}


def measured(listed: tuple[SuspectLabel, ...], true: dict[str, str], wrong: set[str]) -> list[float]:
    """Precision, recall, precision of the first half of the list, and of how many found the true class is likely."""
    files = [f"pictures/{Path(each.file).name}" for each in listed]
    hits = [file in wrong for file in files]
    likely = [each.likely == true[file] for each, file, hit in zip(listed, files, hits, strict=True) if hit]
    return [fmean(hits), sum(hits) / len(wrong), fmean(hits[: max(1, len(hits) // 2)]), fmean(likely)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("suspects"))
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--teacher", default="tf_efficientnet_lite0")
    parser.add_argument("--teacher-size", type=int, default=64)
    asked = parser.parse_args()
    found = []
    for draw in range(asked.draws):
        data, true, exchanged = write(asked.out, asked.images, asked.share, draw)
        out = data.with_name(f"list-{data.stem}.csv")
        out.unlink(missing_ok=True)
        done = check(
            data,
            student="test_resnet",
            teacher=TeacherSpec(model=asked.teacher, image_size=asked.teacher_size),
            image_size=32,
            suspect_labels=out,
            cache=asked.out / "cache",
        ).suspect_labels
        assert done is not None
        print(f"draw {draw}: {len(done.suspects)} listed of {done.images} judged; {len(exchanged)} exchanged")
        found.append(measured(done.suspects, true, exchanged))
    for name, values in zip(
        ("precision", "recall", "precision, first half", "true class likely"), zip(*found, strict=True), strict=True
    ):
        spread = f" (sd {100 * stdev(values):.1f})" if len(values) > 1 else ""
        print(f"{name}: {100 * fmean(values):.1f} %{spread}, {len(values)} draws")


if __name__ == "__main__":
    main()
