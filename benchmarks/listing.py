"""How long it takes to list 60,000 plain files in 100 class folders, against another checkout, taken in turn.

    python benchmarks/listing.py OTHER_SRC [--files 60000] [--rounds 7]

OTHER_SRC is the `src` folder of the checkout to compare with. Each round lists once with either, in a fresh process, in
alternating order; reported are the medians of the CPU seconds in `open_source`, so that other jobs do not count, and
the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = Path(__file__).parents[1] / "src"
LIST = """
import sys, time
from azeotrope.data.sources.folder import open_source
began = time.process_time()
source = open_source(sys.argv[1])
print(time.process_time() - began, len(source.items))
"""


def main() -> None:
    """Make the files, list them in turn, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("--files", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for number in range(asked.files):
            folder = Path(place, f"class{number % 100:02d}")
            folder.mkdir(exist_ok=True)
            (folder / f"IMG_{number:06d}.jpg").touch()
        times = {asked.other: [], OURS: []}
        for turn in range(asked.rounds + 1):
            for source in (asked.other, OURS) if turn % 2 else (OURS, asked.other):
                seconds = listed(source, place, asked.files)
                if turn:  # the first round fills the file system's cache
                    times[source].append(seconds)
    ratios = [ours / other for ours, other in zip(times[OURS], times[asked.other], strict=True)]
    for name, seconds in (("other", times[asked.other]), ("this", times[OURS])):
        print(f"{name}: median {statistics.median(seconds):.3f} s [{min(seconds):.3f}, {max(seconds):.3f}]")
    print(f"this / other: {statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}], n = {len(ratios)}")


def listed(source: Path, place: str, files: int) -> float:
    """Seconds that listing took with this source tree."""
    done = subprocess.run(
        [sys.executable, "-c", LIST, place],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, count = done.stdout.split()
    assert int(count) == files, count
    return float(seconds)


if __name__ == "__main__":
    main()
