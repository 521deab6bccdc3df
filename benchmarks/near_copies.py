"""Precision and recall of near duplicates on planted copies, by kind of copy and size of picture.

    python benchmarks/near_copies.py [PICTURES]

Pictures: windows of the two photographs that scikit-learn ships, as they are and with noise, 28 to 224 pixels wide;
Fashion-MNIST and the drawings of `emoji` where they are at hand. Each picture has one copy. Found pairs that are no
planted ones are counted apart: windows of one photograph may overlap, so not every one of them is a mistake.
"""

import io
import sys
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageEnhance
from sklearn.datasets import load_sample_images

from azeotrope.data.decoding.decode import decode
from azeotrope.data.listing.near import near_pairs
from azeotrope.data.listing.scan import scan
from azeotrope.data.sources._source import Item, Source
from azeotrope.data.task import open_source
from azeotrope.errors import AzeotropeError

SIZES = (28, 48, 96, 224)
NOISE = 14.0  # grey levels, as in a dim photograph


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert(picture.mode)


def scaled(picture: Image.Image, factor: float) -> Image.Image:
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.LANCZOS)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG 92": lambda picture: jpeg(picture, 92),
    "JPEG 75": lambda picture: jpeg(picture, 75),
    "JPEG 40": lambda picture: jpeg(picture, 40),
    "x 0.83": lambda picture: scaled(picture, 40 / 48),
    "x 0.5": lambda picture: scaled(picture, 0.5),
    "x 0.25": lambda picture: scaled(picture, 0.25),
    "x 2": lambda picture: scaled(picture, 2),
    "x 0.83, JPEG 75": lambda picture: jpeg(scaled(picture, 40 / 48), 75),
    "contrast - 20 %": lambda picture: ImageEnhance.Contrast(picture).enhance(0.8),
}


def windows(count: int) -> Iterator[tuple[str, list[Image.Image]]]:
    """Windows of the two photographs, shrunk to each size."""
    photographs = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    for size in SIZES:
        random, found = np.random.default_rng(size), []
        for number in range(count):
            whole = photographs[number % 2]
            side = int(random.integers(max(size, 100), min(whole.size)))
            left, top = (int(random.integers(0, length - side)) for length in whole.size)
            window = whole.crop((left, top, left + side, top + side))
            found.append(window.resize((size, size), Image.Resampling.LANCZOS))
        yield f"photographs, {size} px", found
        noise = (random.normal(0, NOISE, (size, size, 3)) for _ in found)
        noisy = [
            np.clip(np.asarray(each) + more, 0, 255).astype(np.uint8) for each, more in zip(found, noise, strict=True)
        ]
        yield f"the same with noise, {size} px", [Image.fromarray(pixels) for pixels in noisy]


def drawn(name: str, count: int) -> tuple[str, list[Image.Image]]:
    """Pictures of a source, evenly spaced."""
    source = open_source(name)
    places = np.linspace(0, len(source.items) - 1, count).astype(int).tolist()
    pixels = [decode(source.read(place)).pixels for place in places]
    return name, [Image.fromarray(each[..., 0] if each.shape[2] == 1 else each) for each in pixels]


def measured(pictures: list[Image.Image], copy: Callable[[Image.Image], Image.Image]) -> tuple[float, int]:
    """Recall, and pairs found that were not planted."""
    both = [np.asarray(each) for each in (*pictures, *map(copy, pictures))]
    source = Source("planted", ("a",), [Item(str(place), 0, "") for place in range(len(both))], both.__getitem__)
    pairs = near_pairs(scan(source), source)
    assert pairs is not None
    planted = pairs[:, 1] - pairs[:, 0] == len(pictures)
    return float(planted.sum() / len(pictures)), int((~planted).sum())


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    sets = list(windows(count))
    for name in ("fashion-mnist", "emoji"):
        try:
            sets.append(drawn(name, count))
        except AzeotropeError as refusal:
            print(f"{name}: {refusal}")
    print(f"{count} pictures a set, one copy of each: share of copies found (other pairs found)")
    print("| pictures | " + " | ".join(COPIES) + " |\n|---|" + "---|" * len(COPIES))
    for name, pictures in sets:
        cells = [
            f"{recall:.2f} ({others})" for recall, others in (measured(pictures, copy) for copy in COPIES.values())
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
