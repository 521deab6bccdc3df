"""What would one resize change? Pictures are squeezed to a stored size and then resized again; a device would do one.

The same trained networks judge the same validation images prepared both ways: errors, answers that differ, and how far
the pixels are apart.

    OMP_NUM_THREADS=1 python benchmarks/one_resize.py emoji --size 32 --out one-resize
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import azeotrope
from azeotrope.data.decode import decode
from azeotrope.data.task import load_task
from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.drop import paired_shares
from azeotrope.exporting.preparation import Grey, Preparation, Resize, preparation_of
from azeotrope.exporting.verification import eager
from azeotrope.models.saved import load_model


def once(how: Preparation) -> Preparation:
    """The same, with one resize of the picture to the model's size."""
    grey = tuple(step for step in how.steps if isinstance(step, Grey))
    last = how.steps[-1]
    assert isinstance(last, Resize)
    return how.model_copy(update={"steps": (*grey, last)})


def main() -> None:
    """Read the words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default="emoji")
    parser.add_argument("--student", default="test_resnet")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    task = load_task(given.data)
    rows = task.splits.val
    print(
        "| seed | validation images | error, two resizes | one resize | one less two, 95 % | other answers | pixels |"
    )
    print("|---|---|---|---|---|---|---|")
    for seed in range(given.seeds):
        trained = azeotrope.distill(
            given.data,
            student=given.student,
            teacher=None,
            arm="scratch",
            seed=seed,
            train_images=given.images,
            image_size=given.size,
            recipe={"epochs": given.epochs, "learning_rates": (3e-3,), "views": 4},
            precision="fp32",
            cache=given.out / "cache",
            out=given.out / str(seed),
        )
        saved = load_model(trained.model)
        twice = preparation_of(saved, 1.0)
        pictures = [decode(task.source.read(row), task.manifest.reading).pixels for row in rows.tolist()]
        pixels = [np.stack([how.pixels(picture) for picture in pictures]) for how in (twice, once(twice))]
        answers = [eager(Deployed(saved), each).argmax(1).numpy() for each in pixels]
        right = [said == task.labels[rows] for said in answers]
        lost = paired_shares(right[0], right[1])
        levels = np.abs(pixels[0].astype(int) - pixels[1]).mean()
        print(
            f"| {seed} | {len(rows)} | {1 - right[0].mean():.4f} | {1 - right[1].mean():.4f} | {100 * lost.value:+.2f} "
            f"[{100 * lost.low:+.2f}, {100 * lost.high:+.2f}] | {(answers[0] != answers[1]).sum()} "
            f"| {levels:.2f} levels |",
            flush=True,
        )


if __name__ == "__main__":
    main()
