"""A small training without images: what one process and two must do alike. Run as a script, it is one of them."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from azeotrope.data.host_batch import Inputs
from azeotrope.data.views import PLAIN, draw
from azeotrope.devices.device import Device
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.models.network import Network
from azeotrope.recipe import Recipe, ViewPolicy
from azeotrope.teacher.folds import ANY
from azeotrope.teacher.head import Head
from azeotrope.train.dataset import StudentData, Targets
from azeotrope.train.loop import Rows, Training
from azeotrope.train.prepare import Prepare
from azeotrope.train.processes import ALONE, started
from azeotrope.train.stage import Stage

IMAGES, CLASSES, TEACHER_FEATURES, BATCH = 24, 3, 5, 8
CPU = Device("cpu", "fp32")
LOSSES = {"cross_entropy": 1.0, "kl": 1.0, "align_uniform": 1.0, "info_nce": 1.0}


class Said(Targets):
    """The word of no teacher."""

    def __init__(self):
        """Nothing is checked."""


class Pictures(StudentData):
    """Random pixels and embeddings in the place of a task's images."""

    kind = SINGLE

    def __init__(self):
        rng = np.random.default_rng(0)
        teacher = SimpleNamespace(features=TEACHER_FEATURES)
        cache = SimpleNamespace(teacher=teacher, scales=(1.0,))
        head = Head(torch.eye(TEACHER_FEATURES)[None, :CLASSES], torch.zeros(1, CLASSES))
        targets = Said()
        vars(targets).update(cache=cache, head=head, folds=None, live=False)
        pixels, labels = rng.integers(0, 256, (IMAGES, 8, 8, 3), dtype=np.uint8), rng.integers(0, CLASSES, IMAGES)
        task = SimpleNamespace(classes=tuple("abc"), labels=labels)
        vars(self).update(
            images=SimpleNamespace(targets=targets, pack=SimpleNamespace(task=task)),
            image_size=8,
            preprocessing=SimpleNamespace(interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3),
            extra=None,
            pixels=pixels,
            labels=labels,
            features=rng.normal(size=(IMAGES, TEACHER_FEATURES)).astype(np.float16),
        )

    @property
    def alone(self):
        """Its batches say what the teacher says; evaluation passes it over."""
        return self

    def epoch(self, rows, batch, seed, epoch, share=slice(None)):
        for start in range(0, len(rows) - batch + 1, batch):
            yield self.batch(rows[start : start + batch][share])

    def plain(self, rows, batch=None):
        yield self.batch(rows)

    def batch(self, rows):
        drawn = draw(ViewPolicy(), rows.astype(np.uint64), PLAIN)
        stored, folds = (self.features[rows],), np.full(len(rows), ANY)
        return Inputs(self.pixels[rows], drawn, self.labels[rows], folds=folds, stored=stored)

    def on_cpu(self, rows):
        """The batch that a step sees."""
        return Prepare(self, CPU)(CPU.send(self.batch(rows)))


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
