"""What a first command takes until its pictures are packed, against another checkout; and what it fetches of shards.

    python benchmarks/first_command.py OTHER_SRC [--images 1000] [--rounds 3]

OTHER_SRC is the `src` folder of the checkout to compare with. Each round lists and packs drawn photographs of about
500 x 375 pixels in class folders with either, by turns, in a fresh process and an empty cache: frames of all images and
plain pictures of those that judge, for a student and a teacher of 224 pixels. Reported are processor seconds, so that
other jobs do not count. The same pictures in two shards are then fetched from a server of this process (needs aiohttp).
"""

from __future__ import annotations

import argparse
import io
import os
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image

OURS = Path(__file__).parents[1] / "src"
SIZES = [(500, 375), (375, 500), (640, 480), (480, 480)]
FIRST = """
import sys, time
from pathlib import Path
import numpy as np
from azeotrope.data.packing.pack import open_pack, open_plain
from azeotrope.data.task import load_task
where, cache, size, more = sys.argv[1], Path(sys.argv[2]), 224, {}
try:
    from azeotrope.data.packing.early_packs import Foreseen, Use
    from azeotrope.data.packing.foreseen import Asked
    every, judged = frozenset({"train", "val", "test"}), frozenset({"val", "test"})
    student = Use(lambda side: size, frozenset({"train"}), judged)
    more = {"foreseen": Foreseen(Asked(None, (0, 1, 2)), (student, Use(lambda side: size, every)))}
except ImportError:
    pass
began = time.process_time()
task = load_task(where, cache=cache, **more)
judged = np.concatenate([task.splits.val, task.splits.test])
open_pack(task, cache, size).ensure(np.concatenate([task.splits.train, judged]))
open_plain(task, cache, size, "bicubic").ensure(judged)
print(time.process_time() - began)
"""


def main() -> None:
    """Draw, list and pack by turns, print the ratio; then count what is fetched."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        photos = drawn(Path(place, "photos"), asked.images)
        times = [{source: packed(source, str(photos)) for source in (asked.other, OURS)} for _ in range(asked.rounds)]
        for name, source in (("other", asked.other), ("this", OURS)):
            seconds = [each[source] for each in times]
            print(f"{name}: median {statistics.median(seconds):.2f} s [{min(seconds):.2f}, {max(seconds):.2f}]")
        ratios = [each[OURS] / each[asked.other] for each in times]
        print(
            f"this / other: {statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}], n = {len(ratios)}"
        )
        with served(sharded(photos, Path(place, "shards"))) as (address, sent):
            whole = sum(path.stat().st_size for path in Path(place, "shards").iterdir())
            for name, source in (("other", asked.other), ("this", OURS)):
                sent.clear()
                packed(source, f"webdataset:{address}/{{0..1}}.tar")
                print(f"{name}: fetched {sum(sent):,} of {whole:,} bytes, {sum(sent) / whole:.2f} times")


def drawn(photos: Path, images: int) -> Path:
    """Broad areas of colour with noise, as JPEG files in five class folders."""
    for number in range(images):
        rng = np.random.default_rng(number)
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(SIZES[number % len(SIZES)], Image.Resampling.BICUBIC), np.int16)
        pixels = (smooth + rng.integers(-10, 11, smooth.shape)).clip(0, 255).astype(np.uint8)
        folder = photos / f"class{number % 5}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number:06d}.jpg", quality=88)
    return photos


def packed(source: Path, where: str) -> float:
    """Processor seconds that listing and packing took with this source tree."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-c", FIRST, where, cache],
            env={**os.environ, "PYTHONPATH": str(source), "AZEOTROPE_CACHE": cache},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return float(done.stdout)


def sharded(photos: Path, shards: Path) -> Path:
    """The pictures in two shards."""
    shards.mkdir()
    files = sorted(photos.rglob("*.jpg"), key=lambda path: path.name)
    for number in range(2):
        with tarfile.open(shards / f"{number}.tar", "w") as archive:
            for path in files[number::2]:
                for suffix, content in ((".jpg", path.read_bytes()), (".cls", path.parent.name.encode())):
                    member = tarfile.TarInfo(path.stem + suffix)
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return shards


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """An address where these files are, whole or in ranges of bytes, and how many bytes each answer had."""
    sent: list[int] = []

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            path = folder / Path(self.path).name
            content = path.read_bytes() if path.exists() else b""
            asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            stop = min(len(content), int(asked[2]) + 1 if asked and asked[2] else len(content))
            self.send_response(404 if not content else 206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
            self.send_header("Content-Length", str(stop - start))
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", '"1"')
            self.end_headers()
            if self.command == "GET":
                sent.append(self.wfile.write(content[start:stop]))

        do_HEAD = do_GET  # noqa: N815 (as above)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()


if __name__ == "__main__":
    main()
