"""One student at a teacher's side from nothing: ours, teacher pass included, against how the peers do the same work.

Same network, images, losses, optimiser and number of steps. The peers' way, written here in their terms: the teacher
in fp32 at every step, torchvision's ImageFolder and random crops decoded anew each epoch, fp32 student; with a loader
that has no workers (DAPT) and with two (torchdistill, lightly-train). Ours pays for listing, packing and for the
teacher's pass over all views before its first epoch. Whole runs are timed, nothing is extrapolated; few images only
shorten them, and both ways are linear in images.

Each arm lives in a process of its own, for ours sets how its process uses memory (`--keep-memory` gives the peers that
too); an epoch of each in turn, nothing else at the same time. Where torchdistill is installed it runs too, as itself,
with less to do (`_torchdistill.py`); and lightly-train with the pair `vit`, since it takes no other kind of teacher
(`_lightly_train.py`), in one go after the others.

    python benchmarks/end_to_end.py --pair 224 --images 64 --epochs 20
"""

from __future__ import annotations

import argparse
import os
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from _apart import Apart, Work, in_turn
from _arms import PAIRS, VIEWS, Pair, Steps, cache_of, photographs, teacher_of, training
from azeotrope.data.task import load_task
from azeotrope.devices.choice import choose
from azeotrope.devices.memory import keep_freed_memory
from azeotrope.devices.process import prepare
from azeotrope.losses._contract import Setup, Signals, build
from azeotrope.models.backbone import IMAGENET_MEAN, IMAGENET_STD
from azeotrope.models.load import load_backbone, load_network

LOSSES = {"cross_entropy": 1.0, "kl": 1.0, "align_uniform": 1.0}


def main() -> None:
    options = _options()
    pair = PAIRS[options.pair]
    print(
        f"{pair}, {options.images} images, {options.epochs} epochs; {choose().precision} for ours, fp32 for the peers'"
    )
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        pictures = photographs(Path(folder) / "photographs", options.images)
        arms = {"ours": Apart(partial(ours, pair, pictures, options, Path(folder)))}
        keep = options.keep_memory
        for workers in options.workers:
            arms[f"peers, {workers} workers"] = Apart(partial(peer, pair, pictures, workers, keep))
        if find_spec("torchdistill"):
            arms["torchdistill, 2 workers, kl only"] = Apart(partial(torchdistill, pair, pictures, keep))
        seconds = in_turn(arms, options.epochs)
        if pair.teacher in LIGHTLY_TEACHERS and find_spec("lightly_train"):
            whole = {LIGHTLY: Apart(partial(lightly_train, pair, pictures, options, Path(folder)))}
            seconds |= in_turn(whole, 1)
    for name, spent in seconds.items():
        ratio = sum(spent) / sum(seconds["ours"])
        print(f"{name}: {sum(spent):.1f} s in all, {ratio:.2f} times ours{_by_epoch(spent)}")


def _by_epoch(spent: list[float]) -> str:
    if len(spent) == 1:
        return ""
    low, middle, high = np.quantile(spent[1:], [0.25, 0.5, 0.75])
    return f"; first epoch {spent[0]:.1f} s, then {middle:.2f} [{low:.2f}, {high:.2f}] s an epoch"


def ours(pair: Pair, pictures: Path, options: argparse.Namespace, folder: Path) -> Work:
    """An epoch; the first call also lists and packs the images and asks the teacher for all views."""
    prepare()
    device, steps = choose(), list[Steps]()
    teacher = teacher_of(pair, device)

    def epoch() -> None:
        rows = np.arange(options.images)
        if not steps:
            task = load_task(str(pictures))
            cache = cache_of(task, teacher, min(VIEWS, options.epochs), folder)
            cache.ensure(rows, range(-1, cache.views))
            steps.append(Steps(training(pair, task, rows, device, folder, cache, options.epochs)))
        steps[0](options.images // pair.batch)

    return epoch


def peer(pair: Pair, pictures: Path, workers: int, keep_memory: bool) -> Work:
    """An epoch with the teacher asked at every step."""
    if keep_memory:
        keep_freed_memory()
    loader = _loader(pair, pictures, workers)
    teacher = load_backbone(pair.teacher, pretrained=False, image_size=pair.teacher_size)
    teacher.module.eval().requires_grad_(False)
    head = torch.nn.Linear(teacher.features, len(loader.dataset.classes)).requires_grad_(False)
    student = load_network(pair.student, head.out_features, image_size=pair.size, pretrained=False, seed=0).network
    losses = build(LOSSES, Setup(student.head.in_features, teacher.features, head.out_features))
    optimizer = torch.optim.AdamW([*student.parameters(), *losses.parameters()], lr=1e-3)

    def epoch() -> None:
        student.train()
        for images, labels in loader:
            with torch.no_grad():
                features = teacher.module(_resized(images, pair.teacher_size))
            output = student(_resized(images, pair.size))
            total, _ = losses(Signals(output.features, output.logits, labels, features, head(features)))
            optimizer.zero_grad()
            total.backward()
            optimizer.step()

    return epoch


class Classifier(torch.nn.Module):
    """A backbone with its head as `fc`, looking at its own number of pixels."""

    def __init__(self, name: str, size: int, classes: int) -> None:
        super().__init__()
        backbone = load_backbone(name, pretrained=False, image_size=size)
        self.body, self.size = backbone.module, size
        self.fc = torch.nn.Linear(backbone.features, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits."""
        return self.fc(self.body(_resized(images, self.size)))


def torchdistill(pair: Pair, pictures: Path, keep_memory: bool) -> Work:
    """An epoch by that program."""
    from _torchdistill import epoch_of

    if keep_memory:
        keep_freed_memory()

    dataset = _loader(pair, pictures, 0).dataset
    sides = ((pair.teacher, pair.teacher_size), (pair.student, pair.size))
    teacher, student = (Classifier(name, size, len(dataset.classes)) for name, size in sides)
    return epoch_of(teacher, student, dataset, pair.batch)


LIGHTLY = "lightly-train, 2 workers, its own loss, set-up and export included"
LIGHTLY_TEACHERS = {"vit_small_patch14_reg4_dinov2": "dinov2/vits14-notpretrained"}
"""Models that both programs have, by our name and by lightly-train's."""


def lightly_train(pair: Pair, pictures: Path, options: argparse.Namespace, folder: Path) -> Work:
    """All epochs by that program."""
    from _lightly_train import whole

    if options.keep_memory:
        keep_freed_memory()
    teacher = LIGHTLY_TEACHERS[pair.teacher]
    return partial(whole, teacher, f"timm/{pair.student}", pair.size, pair.batch, options.epochs, pictures, folder)


def _loader(pair: Pair, pictures: Path, workers: int) -> DataLoader:
    view = transforms.Compose(
        [
            transforms.RandomResizedCrop(max(pair.size, pair.teacher_size), scale=(0.4, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(0.2, 0.2, 0.2),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    return DataLoader(
        ImageFolder(pictures, view),
        batch_size=pair.batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def _resized(images: torch.Tensor, size: int) -> torch.Tensor:
    if images.shape[-1] == size:
        return images
    return torch.nn.functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", choices=PAIRS, default="224")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--workers", type=lambda text: [int(n) for n in text.split(",")], default=[0, 2])
    parser.add_argument(
        "--keep-memory", action="store_true", help="the peers' processes keep freed memory as ours does"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
