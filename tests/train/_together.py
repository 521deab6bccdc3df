"""A small training without images: what one process and two must do alike. Run as a script, it is one of them."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.models.device import Device
from azeotrope.models.network import Network
from azeotrope.recipe import Recipe
from azeotrope.train.dataset import Batch, StudentData
from azeotrope.train.loop import Rows, Training
from azeotrope.train.processes import ALONE, started
from azeotrope.train.stage import Stage

IMAGES, CLASSES, TEACHER_FEATURES, BATCH = 24, 3, 5, 8
CPU = Device("cpu", "fp32")
LOSSES = {"cross_entropy": 1.0, "kl": 1.0, "align_uniform": 1.0, "info_nce": 1.0}


class Pictures(StudentData):
    """Random pixels in the place of a task's images."""

    kind = SINGLE

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        teacher = SimpleNamespace(features=TEACHER_FEATURES)
        head = SimpleNamespace(logits=lambda features: features[:, :CLASSES])
        vars(self).update(
            images=torch.randn(IMAGES, 3, 8, 8, generator=generator),
            labels=torch.randint(CLASSES, (IMAGES,), generator=generator),
            features=torch.randn(IMAGES, TEACHER_FEATURES, generator=generator),
            logits=torch.randn(IMAGES, CLASSES, generator=generator),
            image_size=8,
            device="cpu",
            targets=SimpleNamespace(cache=SimpleNamespace(teacher=teacher), head=head, live=False),
        )

    def epoch(self, rows, batch, seed, epoch, share=slice(None)):
        for start in range(0, len(rows) - batch + 1, batch):
            yield self.batch(rows[start : start + batch][share])

    def plain(self, rows, batch=None):
        yield self.batch(rows)

    def batch(self, rows):
        return Batch(self.images[rows], self.labels[rows], self.features[rows], self.logits[rows])


def network():
    """No BatchNorm: its statistics are those of a share."""
    torch.manual_seed(0)
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Network(nn.Sequential(nn.Conv2d(3, 6, 3), nn.GroupNorm(2, 6), nn.GELU(), pooled), nn.Linear(6, CLASSES))


def trained(folder, processes=ALONE, accumulate=1):
    """The weights after two epochs, projectors included."""
    recipe = Recipe(epochs=2, batch_images=BATCH, accumulate=accumulate, clip_norm=0.1)
    stage = Stage(data="task", init="random", losses=LOSSES, recipe=recipe)
    rows = np.arange(IMAGES)
    file = folder / "checkpoint.pt"
    training = Training(network(), stage, 1e-2, 0, Pictures(), Rows(rows, rows), CPU, file, processes=processes)
    training.run()
    return {**training.network.state_dict(), **training.losses.state_dict()}


if __name__ == "__main__":
    out = Path(sys.argv[1])
    mine = started(CPU)
    torch.save(trained(out, mine), out / f"{mine.rank}.pt")
