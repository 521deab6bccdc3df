"""Does anything grow faster than the number of images? Seconds and peak memory of each part, from files to training.

    python benchmarks/many_images.py [--images 20000,200000] [--folder DIR]

Draws JPEG files of 40 x 40 pixels in 10 class folders: a class is a coarse pattern of colours, a picture that pattern
mixed half and half with one of its own, enlarged by a cubic filter, with noise. Each size lives in a process of its
own, so that peaks are of that size alone; a part's peak is the process's until its end. Teacher and student are timm's
`test_resnet` at 32 pixels with random weights: they are small, so that the data take their share.
"""

from __future__ import annotations

import argparse
import io
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from _arms import Pair, Steps, cache_of, teacher_of, training
from azeotrope.data.division.split import split_task
from azeotrope.data.listing.kept_looks import kept_looks
from azeotrope.data.listing.near import find_near
from azeotrope.data.listing.scan import scan
from azeotrope.data.packing.pack import open_pack
from azeotrope.data.task import Task, open_source
from azeotrope.devices.choice import choose
from azeotrope.devices.process import prepare

PAIR = Pair("test_resnet", 32, "test_resnet", 32, 64)
CLASSES, SIDE = 10, 40


def main() -> None:
    """One table of parts a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--images", type=lambda text: [int(each) for each in text.split(",")], default=[20_000, 200_000]
    )
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--one", type=Path, help="a folder that is drawn: time it in this process")
    asked = parser.parse_args()
    if asked.one:
        parts(asked.one)
        return
    for images in asked.images:
        with tempfile.TemporaryDirectory(dir=asked.folder) as place:
            began = time.perf_counter()
            drawn(Path(place, "photos"), images)
            print(f"{images:,} images, drawn in {time.perf_counter() - began:.0f} s", flush=True)
            subprocess.run([sys.executable, __file__, "--one", place], check=True)


def drawn(photos: Path, images: int) -> None:
    """Write the pictures; number `i` is the same in every set."""
    patterns = np.random.default_rng(0).integers(0, 256, (CLASSES, 8, 8, 3))
    for label in range(CLASSES):
        (photos / f"class{label}").mkdir(parents=True)
    for number in range(images):
        rng, label = np.random.default_rng([1, number]), number % CLASSES
        coarse = ((patterns[label] + rng.integers(0, 256, (8, 8, 3))) // 2).astype(np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.int16)
        pixels = (smooth + rng.integers(-8, 9, smooth.shape)).clip(0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=88)
        (photos / f"class{label}" / f"{number:07d}.jpg").write_bytes(buffer.getvalue())


def parts(place: Path) -> None:
    """List, pack, embed and train, saying what each took."""
    prepare()
    time.sleep(2.5)  # a file that was just written is not believed the next time
    device, photos, cache = choose(), str(place / "photos"), place / "cache"
    kept = kept_looks(cache, photos)
    with part("open the folder"):
        source = open_source(photos)
    images = len(source.items)
    with part("read every image", images):
        manifest = scan(source, kept=kept)
    with part("open and list again", images):
        scan(open_source(photos), kept=kept)
    with part("fingerprint", images):
        manifest.fingerprint  # noqa: B018 (kept by the manifest)
    with part("near copies", images):
        near = find_near(manifest, source, cache)
    print(f"  ({'not measured' if near.pairs is None else f'{len(near.pairs):,} pairs'})")
    with part("split", images):
        task = Task(source, manifest, split_task(manifest, near=near.pairs), near)
    rows = np.arange(images)
    with part("pack", images):
        open_pack(task, cache, PAIR.size).ensure(rows)
    embeddings = cache_of(task, teacher_of(PAIR, device), 1, cache)
    with part("embed, 2 views", images):
        embeddings.ensure(rows, range(-1, 1))
    steps = Steps(training(PAIR, task, rows, device, cache, embeddings))
    with part("train, 1 epoch", images):
        steps(images // PAIR.batch)


@contextmanager
def part(name: str, images: int = 0) -> Iterator[None]:
    """Print seconds, processor seconds, microseconds of the processor an image, and the peak memory so far."""
    began, used = time.perf_counter(), time.process_time()
    yield
    seconds, used = time.perf_counter() - began, time.process_time() - used
    each = f"{1e6 * used / images:8.1f} us an image" if images else " " * 20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {name:20} {seconds:7.1f} s, processor {used:7.1f} s, {each}, peak {peak:6.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
