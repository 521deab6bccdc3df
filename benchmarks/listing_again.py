"""How much faster a folder is listed when its looks are kept (`data/listing/kept_looks.py`) than when each is read.

    python benchmarks/listing_again.py [--files 60000] [--pixels 64] [--rounds 5]

Makes JPEG files in 100 class folders, then lists them in rounds: anew (all are decoded), and again. Each listing is a
fresh process; reported are medians of its CPU seconds in opening and scanning, so that other jobs do not count, the
median of the rounds' ratios, and the peak memory of either.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

LIST = """
import resource, sys, time
from pathlib import Path
from azeotrope.data.listing.kept_looks import kept_looks
from azeotrope.data.listing.scan import scan
from azeotrope.data.sources.folder import open_source
began = time.process_time()
kept = kept_looks(Path(sys.argv[2]), sys.argv[1], anew=sys.argv[3] == "anew")
manifest = scan(open_source(sys.argv[1]), kept=kept)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(time.process_time() - began, peak, manifest.order_digest)
"""
DISTINCT = 500  # pictures that are drawn; each file ends with its own number, so that no two are equal


def main() -> None:
    """Make the files, list them in turn, print times, ratio and memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=60_000)
    parser.add_argument("--pixels", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        photos, cache = Path(place, "photos"), Path(place, "cache")
        write(photos, asked.files, asked.pixels)
        found = {how: [listed(photos, cache, how)] for how in ("anew", "again")}  # fills the file system's cache
        for turn in range(asked.rounds):
            for how in ("anew", "again") if turn % 2 else ("again", "anew"):
                found[how].append(listed(photos, cache, how))
    assert len({digest for rounds in found.values() for _, _, digest in rounds}) == 1
    seconds = {how: [each for each, _, _ in rounds[1:]] for how, rounds in found.items()}
    for how, times in seconds.items():
        span = f"[{min(times):.2f}, {max(times):.2f}]"
        peak = max(memory for _, memory, _ in found[how])
        print(f"{how}: median {statistics.median(times):.2f} s {span}, peak memory {peak:.0f} MiB")
    ratios = [anew / again for anew, again in zip(seconds["anew"], seconds["again"], strict=True)]
    print(f"ratio {statistics.median(ratios):.0f} [{min(ratios):.0f}, {max(ratios):.0f}], n = {len(ratios)}")


def write(photos: Path, files: int, pixels: int) -> None:
    """JPEG files that were last changed long ago."""
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DISTINCT):
        buffer = io.BytesIO()
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        coarse.resize((pixels, pixels), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
        drawn.append(buffer.getvalue())
    for number in range(files):
        path = photos / f"class{number % 100:02d}" / f"IMG_{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn[number % DISTINCT] + number.to_bytes(4, "big"))
        os.utime(path, (1_000_000_000, 1_000_000_000))


def listed(photos: Path, cache: Path, how: str) -> tuple[float, float, str]:
    """CPU seconds, peak memory in MiB, and what was listed."""
    done = subprocess.run(
        [sys.executable, "-c", LIST, str(photos), str(cache), how], capture_output=True, text=True, check=True
    )
    seconds, peak, digest = done.stdout.split()
    return float(seconds), float(peak), digest


if __name__ == "__main__":
    main()
