"""Is the loader ever the bottleneck? Images/s of batches from the pack against ImageFolder + Pillow + workers.

Both arms read the same JPEG files and make the same kind of batch (random resized crop, flip, colours, normalised), in
one process run, in turn. Run alone on the machine: `python benchmarks/loader.py [--size 224] [--images 512]`. The last
lines give the share of a training step that its data take, and the rates of which `docs/caches.md` plans a pass over a
million images.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from azeotrope.data.packing.pack import open_pack
from azeotrope.data.task import load_task
from azeotrope.devices.ahead import in_turn
from azeotrope.devices.choice import choose
from azeotrope.devices.device import Device
from azeotrope.models.load import load_network
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.teacher.teacher import load_teacher
from azeotrope.train.dataset import StudentData, TaskImages
from azeotrope.train.prepare import Prepare
from azeotrope.train.throughput import inference_rate, training_rate

BATCH = 64
SIDES = (500, 375)  # width and height of a usual photograph on the web
QUALITY = 90


def main() -> None:
    """Print one line an arm: median images/s over repeats, and the range."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        photos = write_photos(Path(folder) / "photos", options.images)
        task = load_task(str(photos))
        pack = open_pack(task, Path(folder) / "cache", options.size)
        rows = np.arange(options.images)
        print(f"{options.images} JPEG files of {SIDES[0]} x {SIDES[1]}, views of {options.size} px, batch {BATCH}")
        print(f"{torch.get_num_threads()} torch threads, {options.repeats} repeats in turn, median [least, most]")
        seconds = timed(lambda: pack.ensure(rows))
        print(f"decode and pack: {options.images / seconds:,.0f} images/s, {pack.store.row_bytes:,} bytes an image")
        arms = {"packed": lambda: packed(pack, options, rows)}
        arms |= {
            f"ImageFolder, {n} workers": lambda n=n: image_folder(photos, options.size, n) for n in options.workers
        }
        rates = {name: [] for name in arms}
        for _ in range(options.repeats):
            for name, arm in arms.items():
                rates[name].append(arm())
        for name, values in rates.items():
            print(f"{name}: {_shown(values)} images/s")
            if name != "packed":
                print(f"  packed is faster by {_ratios(rates['packed'], values)}")
        if options.student:
            step(options, statistics.median(rates["packed"]))
        if options.teacher:
            embedding(options)


def packed(pack, options, rows) -> float:
    """Images a second of training batches, as the loop gets them."""
    look = load_network("resnet10t", 2, image_size=options.size, pretrained=False, seed=0).preprocessing
    data = StudentData(TaskImages(pack, ViewPolicy(), 16), options.size, look)
    device = Device("cpu", "fp32")
    began, count = time.perf_counter(), 0
    for batch in in_turn(data.epoch(rows, BATCH, 0, 0), device, Prepare(data, device)):
        count += len(batch.labels)
    return count / (time.perf_counter() - began)


def image_folder(photos: Path, size: int, workers: int) -> float:
    """Images a second of the usual loader; the start of its workers is not counted."""
    policy = ViewPolicy()
    transform = v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=policy.crop_area, ratio=policy.crop_aspect),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(policy.brightness, policy.contrast, policy.saturation),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    loader = DataLoader(
        ImageFolder(str(photos), transform),
        BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    next(iter(loader))
    began, count = time.perf_counter(), 0
    for images, _ in loader:
        count += len(images)
    return count / (time.perf_counter() - began)


def step(options, data_rate: float) -> None:
    """What share of a step would go into its batch if one followed the other; training makes the next one meanwhile."""
    device = choose()
    network = load_network(options.student, 10, image_size=options.size, pretrained=False, seed=0).network
    rate = training_rate(network, options.size, BATCH, device)
    share = (1 / data_rate) / (1 / data_rate + 1 / rate)
    print(
        f"training step of {options.student} ({device.precision}): {rate:,.1f} images/s; "
        f"data take {share:.1%} of the time"
    )


def embedding(options) -> None:
    """Images a second through the teacher, and the plan of 1 M images: bytes and hours of one such machine."""
    device = choose()
    teacher = load_teacher(TeacherSpec(model=options.teacher, image_size=options.size), device)
    rate = inference_rate(teacher.module, options.size, 128, device)
    views = 16
    gigabytes = 1e6 * (views + 1) * (2 * teacher.features + 8) / 1e9
    print(f"{options.teacher} ({device.precision}): {rate:,.0f} images/s, {teacher.features} features")
    print(
        f"1 M images, K = {views}: {gigabytes:,.0f} GB, "
        f"{1e6 * (views + 1) / rate / 3600:,.0f} hours on one such machine"
    )


def write_photos(folder: Path, count: int) -> Path:
    """JPEG files of smooth noise in two classes: they decode as slowly as photographs do."""
    for place in range(count):
        generator = np.random.default_rng(place)
        coarse = Image.fromarray(generator.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        file = folder / ("even", "odd")[place % 2] / f"{place}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize(SIDES, Image.Resampling.BICUBIC).save(file, quality=QUALITY)
    return folder


def timed(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _shown(values: list[float], form: str = ",.0f") -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:{form}} [{low:{form}}, {high:{form}}]"


def _ratios(ours: list[float], theirs: list[float]) -> str:
    return _shown([a / b for a, b in zip(ours, theirs, strict=True)], ".1f") + " times"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="*", default=sorted({0, os.cpu_count() or 1}))
    parser.add_argument("--student", default=None, help="also measure its training step")
    parser.add_argument("--teacher", default=None, help="also measure its embedding rate (needs its weights)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
