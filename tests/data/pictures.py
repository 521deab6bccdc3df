"""Small image files for the tests of `data`."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def noise(seed, shape=(12, 16, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(seed, side=96):
    """A picture with broad areas, as photographs have, in colour."""
    coarse = Image.fromarray(noise(seed, (6, 6, 3)))
    return np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))


def encoded(pixels, kind="PNG", **options):
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width, height):
    """A PNG that announces a size and holds no pixels."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def write_class_folders(root: Path, counts: dict[str, int], start: int = 0) -> Path:
    """`counts` distinct images a class, below `root`."""
    seed = start
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            seed += 1
            (root / name / f"{number}.png").write_bytes(encoded(noise(seed)))
    return root
