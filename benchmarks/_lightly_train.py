"""lightly-train itself as an arm of `end_to_end.py`: its command, its loader with two workers, its distillation.

Its teachers are DINOv2 and DINOv3 models only, here one with random weights, for these can be had without a download.
It does other work: no labels, mixed-up images, a queue of embeddings. `pip install lightly-train` first.
"""

from __future__ import annotations

from pathlib import Path

import lightly_train

WORKERS = 2


def whole(teacher: str, student: str, size: int, batch: int, epochs: int, pictures: Path, folder: Path) -> None:
    """Distil the student for all epochs; the rest is as that program has it."""
    lightly_train.pretrain(
        out=folder / "lightly-train",
        data=pictures,
        model=student,
        method="distillationv1",
        method_args={"teacher": teacher},
        transform_args={"image_size": (size, size)},
        batch_size=batch,
        epochs=epochs,
        num_workers=WORKERS,
        accelerator="cpu",
    )
