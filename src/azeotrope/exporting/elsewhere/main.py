"""Runs one action of a backend file beside this one: `python -P main.py FILE.py ACTION REQUEST.json`.

A request names files by their paths; arrays are .npy. What the action returns is printed as the last line, as JSON.
It runs in an environment that has the target's packages and need not have azeotrope.
"""

import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

Request: TypeAlias = dict[str, Any]


def load(file: Path) -> ModuleType:
    """The backend, under a name that hides no package: `executorch.py` must not be `executorch`."""
    spec = importlib.util.spec_from_file_location(f"backend_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def versions(backend: ModuleType, request: Request) -> Any:
    """Those of the packages that the backend uses."""
    from importlib.metadata import version

    return {name: version(name) for name in backend.PACKAGES}


def convert(backend: ModuleType, request: Request) -> Any:
    """From the exported program to the target's file."""
    backend.convert(request["pt2"], np.load(request["calibration"], mmap_mode="r"), request["file"], request["int8"])
    return {}


def answer(backend: ModuleType, request: Request) -> Any:
    """Outputs of all images, one after the other."""
    run = backend.opened(request["file"])
    pixels = np.load(request["pixels"], mmap_mode="r")
    parts = [run(np.array(pixels[place : place + 1], np.float32)) for place in range(len(pixels))]
    for place, name in enumerate(request["outputs"]):
        np.save(Path(request["folder"]) / f"{name}.npy", np.concatenate([part[place] for part in parts]))
    return {}


def latency(backend: ModuleType, request: Request) -> Any:
    """One image on one thread."""
    run: Callable[..., Any] = backend.opened(request["file"])
    image = np.load(request["pixels"])[:1].astype(np.float32)
    for _ in range(request["warm_up"]):
        run(image)
    seconds, began = list[float](), time.perf_counter()
    while len(seconds) < request["runs"] or time.perf_counter() - began < request["seconds"]:
        start = time.perf_counter()
        run(image)
        seconds.append(time.perf_counter() - start)
    low, *_, high = statistics.quantiles(seconds, n=10)
    middle = statistics.median(seconds)
    return {"median_ms": 1e3 * middle, "p10_ms": 1e3 * low, "p90_ms": 1e3 * high, "runs": len(seconds)}


def int8_share(backend: ModuleType, request: Request) -> Any:
    """Of convolutions and matrix products."""
    return backend.int8_share(request["file"])


ACTIONS = {action.__name__: action for action in (versions, convert, answer, latency, int8_share)}

if __name__ == "__main__":
    file, action, request = sys.argv[1:]
    said = ACTIONS[action](load(Path(file)), json.loads(Path(request).read_text(encoding="utf-8")))
    print(f"\n{json.dumps(said)}")
