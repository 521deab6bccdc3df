"""What does one resize change? The same trained networks judge the same validation images made small in one resize, as
on a device, and by way of the stored frames that training cuts views from, as earlier versions did: errors, answers
that differ, how far the pixels are apart, and what either costs. With an average of weights (the recipe's own)
validation chooses nothing within a training, so both ways have the same network.

    OMP_NUM_THREADS=1 python benchmarks/one_resize.py emoji --size 32 --out one-resize
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

import azeotrope
from azeotrope.data.augmentation.render import plain_pixels
from azeotrope.data.packing.pack import Pack, open_pack, open_plain
from azeotrope.data.packing.pack_rows import frames_are_pictures
from azeotrope.data.task import Task, load_task
from azeotrope.devices.device import Device
from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.drop import paired_shares
from azeotrope.exporting.verification import eager
from azeotrope.models.saved import SavedModel, load_model
from azeotrope.recipe import ViewPolicy
from azeotrope.record.interval import Interval
from azeotrope.train.dataset import StudentData, TaskImages
from azeotrope.train.evaluate import validate
from azeotrope.verdicts.paired import normal_interval, t_interval, widen
from azeotrope.verdicts.sampling import image_variance

CPU = Device("cpu", "fp32")


def trained(given: argparse.Namespace, seed: int) -> SavedModel:
    """From scratch on labels."""
    made = azeotrope.distill(
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
        out=given.out / f"{given.size}-{seed}",
    )
    return load_model(made.model)


def seconds(saved: SavedModel, pack: Pack, rows: NDArray[np.int64], rounds: int) -> float:
    """Of judging these images once, the median."""
    data = StudentData(TaskImages(pack, ViewPolicy(), 1), saved.preprocessing.size, saved.preprocessing)
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        validate(saved.network, data, rows, CPU)
        took.append(time.perf_counter() - began)
    return median(took)


def decoding(packs: tuple[Pack, Pack], rows: NDArray[np.int64], rounds: int) -> tuple[float, ...]:
    """Milliseconds of reading and resizing an image for each pack, the median; nothing is kept. Either goes first in
    turn, after a round that brings the files into memory.
    """
    took: dict[int, list[float]] = {0: [], 1: []}
    for number in range(rounds + 1):
        for which in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            packs[which].decode(rows)
            took[which].append(1e3 * (time.perf_counter() - began) / len(rows))
    return tuple(median(each[1:]) for each in took.values())


def lost_in(wrong: NDArray[np.float64], task: Task, rows: NDArray[np.int64]) -> Interval:
    """The mean over seeds and images of [seeds, 2, n] errors, one resize less frames, in points. Networks are drawn as
    seeds are, and images as the set's units where it names some.
    """
    advantage = 100 * (wrong[:, 1] - wrong[:, 0])
    units = None if task.units is None else np.unique(task.units[rows], return_inverse=True)[1]
    seeds = t_interval(advantage.mean(axis=1))
    assert seeds is not None
    images = normal_interval(seeds.value, float(np.sqrt(image_variance(advantage, units))))
    return widen(seeds.value, [seeds, images], low=-100, high=100)


def wrong_by(saved: SavedModel, task: Task, packs: tuple[Pack, Pack]) -> tuple[NDArray[np.bool_], float, int]:
    """[2, n]: which validation images are answered wrong by way of frames and in one resize; how many levels the pixels
    are apart; how many answers differ.
    """
    rows, look = task.splits.val, saved.preprocessing
    pixels = [plain_pixels(pack.read(rows), look.size, look.interpolation) for pack in packs]
    said = [eager(Deployed(saved), each).argmax(1).numpy() for each in pixels]
    levels = float(np.abs(pixels[0].astype(int) - pixels[1]).mean())
    return np.stack([each != task.labels[rows] for each in said]), levels, int((said[0] != said[1]).sum())


def main() -> None:
    """Read the words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default="emoji")
    parser.add_argument("--student", default="test_resnet")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    task = load_task(given.data)
    rows, sides = task.splits.val, f"{task.manifest.side} px, validation images: {len(task.splits.val)}"
    print(f"{given.data}, pictures of up to {sides}; to {given.size} px; {given.student}, {given.images} images")
    if frames_are_pictures(task.manifest, given.size):
        parser.error("these pictures are stored as they are: one resize either way")
    print("| seed | error by way of frames | one resize | one less frames [95 %], points | other answers | levels |")
    print("|---|---|---|---|---|---|")
    every, costs = [], []
    for seed in range(given.seeds):
        saved = trained(given, seed)
        cache, how = given.out / "cache", saved.preprocessing.interpolation
        packs = (open_pack(task, cache, given.size), open_plain(task, cache, given.size, how))
        for pack in packs:
            pack.ensure(rows)
        wrong, levels, others = wrong_by(saved, task, packs)
        every.append(wrong)
        lost = paired_shares(~wrong[0], ~wrong[1])
        print(
            f"| {seed} | {wrong[0].mean():.4f} | {wrong[1].mean():.4f} | {100 * lost.value:+.2f} "
            f"[{100 * lost.low:+.2f}, {100 * lost.high:+.2f}] | {others} | {levels:.2f} |",
            flush=True,
        )
        costs.append([seconds(saved, pack, rows, given.rounds) for pack in packs])
    lost = lost_in(np.stack(every).astype(float), task, rows)
    print(f"mean: {lost.value:+.2f} [{lost.low:+.2f}, {lost.high:+.2f}] points, over seeds and images")
    frames, once = np.median(costs, axis=0)
    print(f"judging {len(rows)} images: {frames:.3f} s by way of frames, {once:.3f} s in one resize")
    for name, pack, took in zip(("frames", "one resize"), packs, decoding(packs, rows, given.rounds), strict=True):
        print(f"{name}: {pack.size} px, {pack.store.row_bytes:,} bytes an image, {took:.3f} ms to read and resize one")


if __name__ == "__main__":
    main()
