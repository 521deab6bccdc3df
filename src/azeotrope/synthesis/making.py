"""Makes the pictures that are missing: in fixed groups, written one by one and whole, journalled, and so resumable.

A picture is there when the journal has its line and the file exists; both are written only after it is complete, so a
process killed in mid-picture leaves a picture missing, never half of one. What is memory's fault is tried again with
half the batch, and said.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from azeotrope.errors import RunFailed, first_line
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.synthesis.generators._generator import Generator, Made
from azeotrope.synthesis.spec import Request

JOURNAL = "made.jsonl"
PICTURES = "pictures"
JPEG_QUALITY = 95
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True)
class Line:
    """One picture of the journal. `seconds` is its share of its batch; `refused` is the generator's own word;
    `generator` and `revision` say which one made it.
    """

    label: int
    index: int
    seed: int
    file: str
    prompt: str
    refused: str
    seconds: float
    generator: str = "unknown"
    revision: str | None = None


def requests_for(classes: Sequence[str], per_class: int, seed: int) -> list[Request]:
    """Every picture, all classes of an index before the next index: a set that stops early is balanced."""
    return [Request.of(name, label, index, seed) for index in range(per_class) for label, name in enumerate(classes)]


def read_journal(folder: Path) -> dict[tuple[int, int], Line]:
    """The pictures that are there, by (label, index). A last line torn by a kill is passed over."""
    path = folder / JOURNAL
    found: dict[tuple[int, int], Line] = {}
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            line = Line(**json.loads(text))
        except (json.JSONDecodeError, TypeError):
            continue
        if _there(folder / line.file):
            found[line.label, line.index] = line
    return found


def _there(file: Path) -> bool:
    """Whether the picture has content: after a power cut a file may be there without, since it was not waited for."""
    return file.is_file() and file.stat().st_size > 0


def make_missing(
    generator: Generator,
    requests: Sequence[Request],
    folder: Path,
    *,
    batch_images: int,
    suffix: str,
    advance: Callable[[int], None] = lambda pictures: None,
    say: Callable[[str], None] = lambda words: None,
) -> dict[tuple[int, int], Line]:
    """Make what the journal lacks; gives the whole journal.

    Groups of `batch_images` are cut from all requests, not from the missing ones: a group of which a kill left a part
    is made again as it was, so that the pixels are those of an unbroken run. Raises StoreError for a full disk and
    RunFailed where not even one picture fits into memory.
    """
    present = read_journal(folder)
    for group in _cut(requests, batch_images):
        missing = [place for place, request in enumerate(group) if (request.label, request.index) not in present]
        if missing:
            began = time.perf_counter()
            pictures = _fitted(generator, group, say)
            share = (time.perf_counter() - began) / len(missing)
            for place in missing:
                line = _kept(generator, group[place], pictures[place], folder, suffix, share)
                present[line.label, line.index] = line
        advance(len(group))
    return present


def _fitted(generator: Generator, group: Sequence[Request], say: Callable[[str], None]) -> list[Made]:
    """The group's pictures, in halves where memory does not take it whole."""
    try:
        return generator.make(group)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and not _memory(error):
            raise
        if len(group) == 1:
            raise RunFailed(
                "There is not enough memory for one picture",
                found=first_line(error),
                next_step="take a smaller --picture-size, --precision bf16, or a smaller --generator",
            ) from error
    half = len(group) // 2
    say(f"out of memory with {len(group)} pictures at once: going on with {half}")
    if torch.accelerator.is_available():
        torch.accelerator.empty_cache()
    return [*_fitted(generator, group[:half], say), *_fitted(generator, group[half:], say)]


def _memory(error: Exception) -> bool:
    return any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def _kept(generator: Generator, request: Request, made: Made, folder: Path, suffix: str, seconds: float) -> Line:
    file = f"{PICTURES}/{request.label:04d}/{request.index:06d}.{suffix}"
    line = Line(
        request.label,
        request.index,
        request.seed,
        file,
        generator.prompt(request),
        made.refused,
        round(seconds, 6),
        generator.identity,
        generator.revision,
    )
    try:
        write_atomically(folder / file, _encoded(made.pixels, suffix), durable=False)
        with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write("\n" + json.dumps(asdict(line)))  # the break first: a torn line before it stays alone
    except OSError as error:
        raise cannot_write(folder, error) from error
    return line


def _encoded(pixels: NDArray[np.uint8], suffix: str) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    if suffix == "png":
        picture.save(buffer, "PNG")
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _cut(requests: Sequence[Request], size: int) -> Iterator[Sequence[Request]]:
    for start in range(0, len(requests), size):
        yield requests[start : start + size]
