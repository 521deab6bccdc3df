"""Answers requests about the files of one target, in the environment of that target: `python -I serve.py BACKEND.py`.

A request is a line of JSON on standard input, the reply a line on standard output; arrays are .npy files that the
request names. It ends when its input does.
"""

import importlib.util
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import numpy as np

_OPERATOR = re.compile(r"\b(?:aten|quantized_decomposed|torchvision)(?:::|\.)\w+(?:\.\w+)?")


def load(file: Path) -> ModuleType:
    """The backend, under a name that hides no package: `executorch.py` must not be `executorch`."""
    spec = importlib.util.spec_from_file_location(f"backend_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Server:
    """The actions that may be asked; each takes what its request holds and returns what JSON can say."""

    def __init__(self, backend: ModuleType) -> None:
        self._backend = backend
        self._opened = lru_cache(maxsize=1)(lambda file, changed: backend.opened(file))

    def versions(self, packages: list[str]) -> dict[str, str]:
        """Of packages by name; raises PackageNotFoundError for one that is not installed."""
        return {name: version(name) for name in packages}

    def convert(self, source: str, images: str, file: str) -> None:
        """From torch's exported program to the float file; `images` are pixels [n, bands, H, W]."""
        self._backend.convert(source, np.load(images, mmap_mode="r"), file)

    def quantise(self, source: str, images: str, file: str, layer_norm: bool) -> None:
        """To the file of 8-bit integers, with ranges from `images`."""
        self._backend.quantise(source, np.load(images, mmap_mode="r"), file, layer_norm)

    def answer(self, file: str, images: str, outputs: list[str], folder: str) -> None:
        """Write NAME.npy for each output, of all images, one image at a time."""
        run, pixels = self._run(file), np.load(images, mmap_mode="r")
        parts = [run(np.array(pixels[place : place + 1], np.float32)) for place in range(len(pixels))]
        for place, name in enumerate(outputs):
            np.save(Path(folder) / f"{name}.npy", np.concatenate([part[place] for part in parts]))

    def latency(self, file: str, images: str, warm_up: int, runs: int, seconds: float) -> dict[str, float]:
        """Milliseconds for the first image on one thread: at least so many runs, and so many seconds."""
        run, image = self._run(file), np.load(images)[:1].astype(np.float32)
        for _ in range(warm_up):
            run(image)
        taken, began = list[float](), time.perf_counter()
        while len(taken) < runs or time.perf_counter() - began < seconds:
            start = time.perf_counter()
            run(image)
            taken.append(1e3 * (time.perf_counter() - start))
        low, *_, high = statistics.quantiles(taken, n=10)
        return {"median_ms": statistics.median(taken), "p10_ms": low, "p90_ms": high, "runs": len(taken)}

    def int8_share(self, file: str) -> float:
        """Of convolutions and matrix products, those whose input is of 8-bit integers."""
        found: list[bool] = self._backend.in_8_bits(file)
        return sum(found) / max(1, len(found))

    def opened(self) -> int:
        """How many files were opened so far."""
        return self._opened.cache_info().misses

    def _run(self, file: str) -> Callable[[Any], list[Any]]:
        run: Callable[[Any], list[Any]] = self._opened(file, Path(file).stat().st_mtime_ns)
        return run


def described(error: BaseException) -> str:
    """The first line of an error after the name of its type, with the operator that the rest of it names."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    line = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    named = dict.fromkeys(name for each in _causes(error) for name in _OPERATOR.findall(str(each)))
    operators = [name for name in named if name not in line]
    return f"{line} (operator {', '.join(operators[:3])})" if operators else line


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def serve(server: Server, asked: TextIO, said: TextIO) -> None:
    """A reply for each request: its result, or the error."""
    for line in asked:
        request = json.loads(line)
        try:
            reply = {"result": getattr(server, request.pop("action"))(**request)}
        except Exception as error:  # of any library; the reply says which
            reply = {"error": described(error)}
        said.write(f"{json.dumps(reply)}\n")
        said.flush()


if __name__ == "__main__":
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no reply
    serve(Server(load(Path(sys.argv[1]))), sys.stdin, replies)
