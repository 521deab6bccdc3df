"""A small training without images: what one process and two must do alike. Run as a script, it is one of them."""

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from azeotrope.data.augmentation.views import PLAIN, draw
from azeotrope.data.host_batch import Inputs
from azeotrope.devices.device import Device
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.kinds.single import UNLABELLED
from azeotrope.models.network import Network
from azeotrope.recipe import Recipe, ViewPolicy
from azeotrope.teacher.heads.folds import ANY
from azeotrope.teacher.heads.head import Head
from azeotrope.train import loop
from azeotrope.train.dataset import StudentData, Targets
from azeotrope.train.loop import Rows, Training
from azeotrope.train.parallel.processes import ALONE, OutOfStepError, joined
from azeotrope.train.prepare import Prepare
from azeotrope.train.stage import Stage

IMAGES, CLASSES, TEACHER_FEATURES, BATCH, FURTHER = 24, 3, 5, 8, 8
CPU = Device("cpu", "fp32")
BOTH = Device("cpu", "fp32", cards=("cpu", "cpu"))
LOSSES = {"cross_entropy": 1.0, "kl": 1.0, "align_uniform": 1.0, "info_nce": 1.0}


class Said(Targets):
    """The word of no teacher."""

    def __init__(self):
        """Nothing is checked."""


class Pictures(StudentData):
    """Random pixels and embeddings in the place of a task's images."""

    kind = SINGLE

    def __init__(self, further=0):
        """`further` of the images come again beside the labelled ones of each step."""
        rng = np.random.default_rng(0)
        teacher = SimpleNamespace(features=TEACHER_FEATURES)
        cache = SimpleNamespace(teacher=teacher, scales=(1.0,))
        head = Head(torch.eye(TEACHER_FEATURES)[None, :CLASSES], torch.zeros(1, CLASSES))
        targets = Said()
        vars(targets).update(cache=cache, head=head, folds=None, live=False)
        pixels, labels = rng.integers(0, 256, (IMAGES, 8, 8, 3), dtype=np.uint8), rng.integers(0, CLASSES, IMAGES)
        task = SimpleNamespace(classes=tuple("abc"), labels=labels)
        images = SimpleNamespace(targets=targets, pack=SimpleNamespace(task=task))
        beside = SimpleNamespace(images=images, rows=np.arange(IMAGES), labelled=False)
        vars(self).update(
            images=images,
            further=further,
            image_size=8,
            preprocessing=SimpleNamespace(interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3),
            extra=beside if further else None,
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
            shown = self.batch(rows[start : start + batch][share])
            if self.further:
                here = slice(*(end * self.further // batch for end in share.indices(batch)[:2]))
                beside = self.batch((rows[: self.further] + start + 3)[here] % IMAGES)
                unlabelled = replace(beside, labels=np.full_like(beside.labels, UNLABELLED))
                shown = replace(shown, further=unlabelled)
            yield shown

    def plain(self, rows, batch=None):
        yield self.batch(rows)

    def batch(self, rows):
        drawn = draw(ViewPolicy(), rows.astype(np.uint64), PLAIN)
        stored, folds = (self.features[rows],), np.full(len(rows), ANY)
        return Inputs(self.pixels[rows], drawn, self.labels[rows], folds=folds, stored=stored, places=rows)

    def on_cpu(self, rows):
        """The batch that a step sees."""
        return Prepare(self, CPU)(CPU.send(self.batch(rows)))


def network():
    """No BatchNorm: its statistics are those of a part."""
    torch.manual_seed(0)
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Network(nn.Sequential(nn.Conv2d(3, 6, 3), nn.GroupNorm(2, 6), nn.GELU(), pooled), nn.Linear(6, CLASSES))


class Below(nn.BatchNorm2d):
    """Calls the function below the one that torch's own modules call."""

    def forward(self, images):
        """In training a batch's own statistics are taken, else those that ran."""
        running, how = (self.running_mean, self.running_var), (self.training, self.momentum, self.eps, False)
        return torch.batch_norm(images, self.weight, self.bias, *running, *how)


def with_batch_norm():
    """Two of them: one adds to what torch's does, as in timm; one calls another function. No bias before: its gradient
    is rounding alone.
    """
    torch.manual_seed(0)
    body = nn.Sequential(
        nn.Conv2d(3, 6, 3, bias=False),
        BatchNormAct2d(6, act_layer=nn.GELU),
        nn.Conv2d(6, 6, 3, groups=6, bias=False),
        Below(6),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return Network(body, nn.Linear(6, CLASSES))


class KilledError(Exception):
    """In the place of a signal."""


def killed_at(batch):
    """A callback that ends the training at its n-th batch."""
    seen = []

    def advance(images):
        seen.append(images)
        if len(seen) == batch:
            raise KilledError

    return advance


def resumed(folder, processes=ALONE, **asked):
    """The weights after two epochs, the second of which begins in another training after the first was killed."""
    loop.CHECKPOINT_SECONDS = 0
    with suppress(KilledError):
        trained(folder, processes, advance=killed_at(IMAGES // BATCH + 1), name="killed", **asked)
    return trained(folder, processes, name="killed", **asked)


def trained(
    folder,
    processes=ALONE,
    made=network,
    losses=LOSSES,
    further=0,
    device=CPU,
    name="checkpoint",
    advance=lambda images: None,
    **changes,
):
    """The weights after two epochs, projectors included."""
    recipe = Recipe(epochs=2, batch_images=BATCH, clip_norm=0.1, **changes)
    stage = Stage(data="task", init="random", losses=losses, recipe=recipe)
    rows = np.arange(IMAGES)
    file, data = folder / f"{name}.pt", Pictures(further)
    training = Training(made(), stage, 1e-2, 0, data, Rows(rows, rows), device, file, advance, processes)
    training.run()
    return {**training.network.state_dict(), **training.losses.state_dict()}


TRAININGS = {
    "all losses": {},
    "labels": {"losses": {"cross_entropy": 1.0}, "made": with_batch_norm},
    "align_uniform": {"losses": {"align_uniform": 1.0}, "made": with_batch_norm},
    "rkd": {"losses": {"cross_entropy": 1.0, "rkd": 1.0}, "made": with_batch_norm},
    "rkd, with further pictures": {
        "losses": {"cross_entropy": 1.0, "rkd": 1.0},
        "made": with_batch_norm,
        "further": FURTHER,
    },
    "crd, averaged": {"losses": {"kl": 1.0, "crd": 0.1}, "made": with_batch_norm, "weight_average": 0.5},
}


if __name__ == "__main__":
    out, rank = Path(sys.argv[1]), int(sys.argv[2])
    mine = joined(BOTH, rank, out / "meeting")
    try:
        mine.agreed(lambda: 1 // (1 - rank))
        said = "nothing"
    except ZeroDivisionError as error:
        said = f"{error}, {mine.told('heard' if mine.leads else 'unheard')}"
    (out / f"{rank}.txt").write_text(said)
    ended = {name: trained(out, mine, **asked) for name, asked in TRAININGS.items()}
    in_bf16 = trained(out, mine, device=Device("cpu", "bf16"), **TRAININGS["labels"])
    again = resumed(out, mine, **TRAININGS["crd, averaged"])
    torch.save({**ended, "bf16": in_bf16, "resumed": again}, out / f"{rank}.pt")
    if mine.leads:  # the other has nothing left to do, and ends
        lost = []
        for move in (mine.told, lambda word: mine.agreed(lambda: word), mine.gathered, mine.add):
            try:
                move(torch.zeros(1))
            except OutOfStepError as error:
                lost.append(f"{error.final}")
        (out / "lost.txt").write_text(" ".join(lost))
