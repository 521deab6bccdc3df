"""Why the teacher has a projector too: align_uniform with a learned one, a random one, and none.

`python benchmarks/teacher_projector.py OUT`: Fashion-MNIST at 1,000 images, three paired seeds, a short recipe, one
learning rate. The variants are losses in `benchmarks/variants`, which this script adds to those that can be found.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

import azeotrope
from azeotrope import losses
from azeotrope.plan import TeacherSpec
from azeotrope.reporting.texts.table import table

RECIPE = {"epochs": 15, "views": 4, "learning_rates": (3e-3,)}
ARMS = [
    "scratch",
    "distill:align_uniform",
    "distill:align_uniform_fixed_teacher",
    "distill:align_uniform_bare_teacher",
]


def main(out: str) -> None:
    """Print the comparison as the command does."""
    losses.__path__.append(str(Path(__file__).parent / "variants"))
    comparison = azeotrope.compare(
        "fashion-mnist",
        student="resnet10t",
        teacher=TeacherSpec(model="tf_efficientnet_lite0", image_size=64),
        train_images=1000,
        arms=ARMS,
        recipe=RECIPE,
        out=out,
    )
    Console(width=160).print(table(comparison))
    for arm in comparison.arms:
        print(arm.name, arm.seed_errors, f"validation {arm.val_error:.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
