"""The page of a bundle: the ONNX file in a browser, with onnxruntime-web inside, so that it needs no server.

The runtime comes from a folder of onnxruntime-web that the person has, or is fetched by npm when the person asks so.
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from azeotrope.errors import InputError, NotExported
from azeotrope.exporting.bundle import Sample
from azeotrope.exporting.preparation import Preparation

FILE = "demo.html"
NPM = "npm"
PACKAGE = "onnxruntime-web@1.30.0"
RUNTIME, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"


def runtime_folder(named: str, work: Path) -> Path:
    """The folder with onnxruntime-web's files: `named` itself, or its `dist/`, or with `npm` one fetched into `work`.

    Raises InputError where they are not there, and NotExported where npm cannot fetch them.
    """
    root = _fetched(work) if named == NPM else Path(named).expanduser()
    for folder in (root, root / "dist"):
        if all((folder / name).is_file() for name in (RUNTIME, WASM)):
            return folder
    raise InputError(
        "The page needs onnxruntime-web",
        found=f"no {RUNTIME} and {WASM} in {named}",
        allowed="npm (fetches it), or the folder of a copy, such as node_modules/onnxruntime-web",
        next_step=f"npm pack {PACKAGE}, unpack it and name the folder, or leave --page out",
    )


def page(runtime: Path, model: Path, preparation: Preparation, title: str, samples: Sequence[Sample]) -> str:
    """The page as one text. It shows the samples first, and how far this browser is from what was verified."""
    shown = [
        {
            "picture": _base64(sample.content),
            "pixels": _base64(sample.pixels.tobytes()),
            "label": sample.label,
            "outputs": sample.outputs[model.name],
        }
        for sample in samples
        if sample.content is not None
    ]
    settings = {"how": preparation.model_dump(mode="json"), "title": title, "samples": shown}
    parts = {
        "settings": json.dumps(settings).replace("<", "\\u003c"),  # so that no name can close the script
        "model": packed(model),
        "runtime": packed(runtime / RUNTIME),
        "wasm": packed(runtime / WASM),
    }
    text = files("azeotrope.exporting").joinpath("bundled", FILE).read_text(encoding="utf-8")
    head, *rest = text.split("{{ ")
    filled = [head]
    for piece in rest:
        name, _, after = piece.partition(" }}")
        filled += [parts[name], after]
    return "".join(filled)


def packed(file: Path) -> str:
    """A file for a script element: gzip, base64."""
    return _base64(gzip.compress(file.read_bytes(), mtime=0))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _fetched(work: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(
            "Fetching onnxruntime-web needs npm",
            found="no npm on the PATH",
            next_step="install Node.js, or name the folder of a copy: --page FOLDER",
        )
    done = subprocess.run(
        [npm, "pack", "--silent", PACKAGE], cwd=work, capture_output=True, text=True, check=False, timeout=600
    )
    archives = list(work.glob("onnxruntime-web-*.tgz"))
    if done.returncode or len(archives) != 1:
        raise NotExported(
            f"npm could not fetch {PACKAGE}",
            found=(done.stderr.strip() or "no reason given").splitlines()[-1],
            next_step="try again with a network, or name the folder of a copy: --page FOLDER",
        )
    with tarfile.open(archives[0]) as archive:
        for name in (RUNTIME, WASM):
            archive.extract(f"package/dist/{name}", work, filter="data")
    return work / "package"
